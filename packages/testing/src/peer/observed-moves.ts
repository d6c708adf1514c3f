import type { MoveOutcome, SequencedEvent } from '@godwit/protocol';
import { clockMs } from './media-transport.js';

/** A move of a peer's transport, as its signalling told it; times by clockMs. */
export interface ObservedMove {
  readonly moveId: string;
  readonly toldMs: number;
  /** When media went to the new address; null before. */
  selectedMs: number | null;
  endedMs: number | null;
  outcome: MoveOutcome | null;
  nodeId: string | null;
}

/** The moves of one peer's transports. */
export class ObservedMoves {
  /** Oldest first. */
  readonly all: ObservedMove[] = [];

  /** A rehearsal names its move twice, there and back: the first time counts. */
  begin(moveId: string): void {
    if (this.all.some((move) => move.moveId === moveId)) return;
    this.all.push({
      moveId,
      toldMs: clockMs(),
      selectedMs: null,
      endedMs: null,
      outcome: null,
      nodeId: null,
    });
  }

  /** Media goes to another address. */
  selected(nowMs: number): void {
    const move = this.all.at(-1);
    if (move !== undefined) move.selectedMs ??= nowMs;
  }

  end({ moveId, outcome, nodeId }: Extract<SequencedEvent, { event: 'moveEnded' }>): void {
    const move = this.all.find((each) => each.moveId === moveId);
    if (move !== undefined) Object.assign(move, { endedMs: clockMs(), outcome, nodeId });
  }
}
