import type { NodeEvent } from '@godwit/protocol';
import { deferred, type Deferred } from '../deadline.js';
import { NODE_MOVES_ACTIVE_MAX } from '../limits.js';
import { MoveSlots } from './move-slots.js';

export type MoveEndedEvent = Extract<NodeEvent, { event: 'moveEnded' }>;
/** A node of the move went away, or its connection ended. */
export type Interruption = 'source-lost' | 'target-unreachable' | 'transport-closed';

/** What a running move waits for. */
export interface MoveWait {
  readonly sourceNodeId: string;
  readonly targetNodeId: string;
  readonly proven: Deferred<'proven'>;
  readonly returned: Deferred<'returned'>;
  readonly ended: Deferred<MoveEndedEvent>;
  readonly interrupted: Deferred<Interruption>;
}

/** Ties the events of nodes to the moves that wait for them. */
export class MoveWaits {
  /** A move takes one of each of its nodes before its client is told. */
  readonly slots: MoveSlots;
  readonly #waits = new Map<string, MoveWait>();

  constructor(share: (ofNode: number) => number) {
    this.slots = new MoveSlots(() => share(NODE_MOVES_ACTIVE_MAX));
  }

  /** Moves that wait. */
  get size(): number {
    return this.#waits.size;
  }

  begin(moveId: string, sourceNodeId: string, targetNodeId: string): MoveWait {
    const wait: MoveWait = {
      sourceNodeId,
      targetNodeId,
      proven: deferred(),
      returned: deferred(),
      ended: deferred(),
      interrupted: deferred(),
    };
    this.#waits.set(moveId, wait);
    return wait;
  }

  /** Somebody waits for it, and decides. */
  has(moveId: string): boolean {
    return this.#waits.has(moveId);
  }

  end(moveId: string): void {
    this.#waits.delete(moveId);
  }

  /** True when somebody waited for it. Both nodes report an end: the first word counts. */
  nodeEvent(nodeId: string, event: NodeEvent): boolean {
    if (event.event !== 'moveProven' && event.event !== 'pathReturned' && event.event !== 'moveEnded')
      return false;
    const wait = this.#waits.get(event.moveId);
    if (wait === undefined || (nodeId !== wait.sourceNodeId && nodeId !== wait.targetNodeId)) return false;
    if (event.event === 'moveProven') wait.proven.resolve('proven');
    else if (event.event === 'pathReturned') wait.returned.resolve('returned');
    else wait.ended.resolve(event);
    return true;
  }

  nodeLost(nodeId: string): void {
    for (const wait of this.#waits.values()) {
      if (wait.sourceNodeId === nodeId) wait.interrupted.resolve('source-lost');
      else if (wait.targetNodeId === nodeId) wait.interrupted.resolve('target-unreachable');
    }
  }
}
