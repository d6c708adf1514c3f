import type { Exception } from '@godwit/datapath';
import type { NodeCommand } from '@godwit/protocol';
import { NodeError } from '../errors.js';
import { MOVES_MAX } from '../limits.js';
import { STATE_SCHEMAS } from '@godwit/transport';
import type { NodeContext } from '../node-context.js';
import type { TransportHost } from '../transport/transport-host.js';
import { decodeHandoverMessage, encodeHandoverMessage, type HandoverMessage } from './messages.js';
import { runSource, type SourceEntry } from './source-effects.js';
import { SourceMove } from './source-move.js';
import { Standstill } from './standstill.js';
import { runTarget, type TargetEntry } from './target-effects.js';

type Command<T extends NodeCommand['type']> = Extract<NodeCommand, { type: T }>;

/** All moves that this node takes part in, as source and as target. */
export class MoveTable {
  readonly #context: NodeContext;
  readonly #standstill = new Standstill();
  readonly #sources = new Map<string, SourceEntry>();
  readonly #targets = new Map<string, TargetEntry>();
  /** Each transport's last move as source and as target; earlier ones are over but for repetitions. */
  readonly #lastSource = new Map<string, SourceEntry>();
  readonly #lastTarget = new Map<string, TargetEntry>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Moves that are remembered, those that only linger or refuse included. */
  get size(): { readonly sources: number; readonly targets: number } {
    return { sources: this.#sources.size, targets: this.#targets.size };
  }

  /** Moves whose outcome is still open. */
  get running(): number {
    const open = new Set([
      'proving',
      'proven',
      'returning',
      'settling',
      'freezing',
      'transferring',
      'prepared',
      'thawing',
      'limited',
    ]);
    const count = (entries: Iterable<{ move: { stateName: string } }>): number =>
      [...entries].filter(({ move }) => open.has(move.stateName)).length;
    return count(this.#sources.values()) + count(this.#targets.values());
  }

  start(command: Command<'startMove'>): void {
    const { transportId, moveId, epoch, returnEpoch, targetNodeId, rehearsal } = command;
    if (this.#sources.get(moveId)?.move.options.transportId === transportId) return;
    const host = this.#owned(transportId, epoch);
    if (!STATE_SCHEMAS.includes(command.stateSchema)) {
      throw new NodeError('no-common-schema', `this node writes no states of schema ${command.stateSchema}`);
    }
    if (!host.connected) throw new NodeError('not-connected', 'the transport has not carried media yet');
    if (!this.#context.links.has(targetNodeId))
      throw new NodeError('unknown-node', 'there is no link to the target');
    if (this.sourceOf(transportId) !== undefined || this.#isLimited(transportId)) {
      throw new NodeError('busy', 'another move of this transport has not ended');
    }
    this.#bound();
    const nowMs = this.#context.clockMs();
    const entry: SourceEntry = {
      move: new SourceMove(nowMs, {
        moveId,
        transportId,
        currentEpoch: host.role.epoch,
        epoch,
        returnEpoch,
        targetNodeId,
        rehearsal,
      }),
      sealKey: Buffer.from(command.sealKey, 'base64'),
      stateSchema: command.stateSchema,
      frozen: null,
      tookBack: false,
    };
    if (command.restartIce !== undefined) {
      // The client's next generation begins with this move; its checks on the old path stay good until it nominates.
      host.ice.restart(command.restartIce);
      this.#context.transports.indexUfrags(host);
    }
    this.#sources.set(moveId, entry);
    this.#lastSource.set(transportId, entry);
    this.#context.datapath.addMovePeer(transportId, targetNodeId);
    runSource(this.#context, entry, entry.move.start());
  }

  addTarget(moveId: string, entry: TargetEntry): void {
    this.#bound();
    this.#targets.set(moveId, entry);
    this.#lastTarget.set(entry.move.options.transportId, entry);
  }

  target(moveId: string): TargetEntry | undefined {
    return this.#targets.get(moveId);
  }

  /** The running source move of a transport: one at a time. */
  sourceOf(transportId: string): SourceEntry | undefined {
    const entry = this.#lastSource.get(transportId);
    return entry?.move.ownerElsewhereOnPath === true ? entry : undefined;
  }

  /** The sealed state is on its way: what changes here now would be lost with the transport. */
  hasLeft(transportId: string): boolean {
    const name = this.#lastSource.get(transportId)?.move.stateName;
    return name === 'freezing' || name === 'transferring';
  }

  targetOf(transportId: string): TargetEntry | undefined {
    const entry = this.#lastTarget.get(transportId);
    return entry?.move.stateName === 'prepared' ? entry : undefined;
  }

  returnPath(moveId: string): void {
    const entry = this.#sources.get(moveId);
    if (entry === undefined) throw new NodeError('unknown-move', 'this node is not the source of that move');
    if (!entry.move.returnPath())
      throw new NodeError('too-late', 'the move is no rehearsal that waits to return');
  }

  cancel({ moveId, transportId, force }: Command<'cancelMove'>): void {
    const nowMs = this.#context.clockMs();
    const source = this.#sources.get(moveId);
    const target = this.#targets.get(moveId);
    if (source === undefined && target === undefined) return;
    if (source !== undefined) {
      const outputs = source.move.cancel(nowMs, force === true);
      if (outputs === null) throw new NodeError('too-late', `the state of ${transportId} has left`);
      runSource(this.#context, source, outputs);
    }
    if (target !== undefined) {
      const outputs = target.move.cancel(nowMs);
      if (outputs === null) throw new NodeError('too-late', `${transportId} is owned here already`);
      runTarget(this.#context, target, outputs);
    }
  }

  /** Control's word that the other node of the move has let go, or is dead. */
  release({ moveId, transportId, epoch }: Command<'releaseMove'>): void {
    const source = this.#sources.get(moveId);
    const target = this.#targets.get(moveId);
    const ofSource = source?.move.release(epoch) ?? null;
    const ofTarget = target?.move.release(this.#context.clockMs(), epoch) ?? null;
    if (source !== undefined && ofSource !== null) runSource(this.#context, source, ofSource);
    if (target !== undefined && ofTarget !== null) runTarget(this.#context, target, ofTarget);
    if (ofSource === null && ofTarget === null) {
      throw new NodeError('unknown-move', `${transportId} is not held here by that move`);
    }
  }

  /** What the other node of the move said, by way of control. */
  tell({ moveId, transportId, word }: Command<'tellMove'>): void {
    const nowMs = this.#context.clockMs();
    const source = word.kind === 'accepted' ? this.#sources.get(moveId) : undefined;
    const target = word.kind === 'aborted' ? this.#targets.get(moveId) : undefined;
    if (source === undefined && target === undefined)
      throw new NodeError('unknown-move', `nothing is known here of a move of ${transportId}`);
    if (source !== undefined) {
      const outputs = source.move.acceptedByControl(nowMs);
      if (outputs === null) throw new NodeError('too-late', `${transportId} is owned here`);
      runSource(this.#context, source, outputs);
    }
    if (target !== undefined && word.kind === 'aborted') {
      const outputs = target.move.abortedByControl(nowMs, word.ownerEpoch);
      if (outputs === null) throw new NodeError('too-late', `${transportId} is owned here`);
      runTarget(this.#context, target, outputs);
    }
  }

  /** A link message whose first byte is HANDOVER_MESSAGE_CLASS. */
  receive(linkId: string, bytes: Buffer): void {
    const message = decodeHandoverMessage(bytes);
    if (message === null) return;
    const nowMs = this.#context.clockMs();
    const source = this.#sources.get(message.moveId);
    if (source?.move.options.targetNodeId === linkId) {
      runSource(this.#context, source, source.move.receive(nowMs, message));
      return;
    }
    const target = this.#targets.get(message.moveId);
    if (target?.move.options.sourceNodeId === linkId) {
      runTarget(this.#context, target, target.move.receive(nowMs, message));
      return;
    }
    this.#answerUnknown(linkId, message);
  }

  /** Authenticated media of a watched path. */
  proven(transportId: string, via: Extract<Exception, { kind: 'proof' }>['via']): void {
    const entry = this.sourceOf(transportId);
    if (entry === undefined) return;
    const nowMs = this.#context.clockMs();
    if (via.kind === 'link' && via.linkId === entry.move.options.targetNodeId) {
      runSource(
        this.#context,
        entry,
        entry.move.provenAtTarget(nowMs, via.pathId, this.#context.router.isWhole(transportId, nowMs)),
      );
    } else if (via.kind === 'socket') {
      runSource(this.#context, entry, entry.move.provenHere(nowMs));
    }
  }

  tick(nowMs: number, controlHeardAtMs: number): void {
    const awakeSinceMs = this.#standstill.awakeSinceMs(nowMs);
    for (const [moveId, entry] of this.#sources) {
      const isWhole = (): boolean => this.#context.router.isWhole(entry.move.options.transportId, nowMs);
      const heardAtMs = Math.max(
        this.#context.links.heardAtMs(entry.move.options.targetNodeId),
        awakeSinceMs,
      );
      runSource(this.#context, entry, entry.move.tick(nowMs, heardAtMs, controlHeardAtMs, isWhole));
      if (entry.move.stateName === 'done') this.#forgetSource(moveId, entry);
    }
    for (const [moveId, entry] of this.#targets) {
      runTarget(this.#context, entry, entry.move.tick(nowMs));
      if (entry.move.stateName === 'done') this.#forgetTarget(moveId, entry);
    }
  }

  /** The transport is gone: so are its moves. */
  forgetTransport(transportId: string): void {
    for (const [moveId, entry] of this.#sources) {
      if (entry.move.options.transportId === transportId) this.#forgetSource(moveId, entry);
    }
    for (const [moveId, entry] of this.#targets) {
      if (entry.move.options.transportId !== transportId) continue;
      entry.sealKeys?.destroy();
      this.#forgetTarget(moveId, entry);
    }
  }

  #forgetSource(moveId: string, entry: SourceEntry): void {
    const { transportId } = entry.move.options;
    this.#sources.delete(moveId);
    if (this.#lastSource.get(transportId) === entry) this.#lastSource.delete(transportId);
  }

  #forgetTarget(moveId: string, entry: TargetEntry): void {
    const { transportId } = entry.move.options;
    this.#targets.delete(moveId);
    if (this.#lastTarget.get(transportId) === entry) this.#lastTarget.delete(transportId);
  }

  #owned(transportId: string, epoch: number): TransportHost {
    const host = this.#context.transports.get(transportId);
    if (host === undefined)
      throw new NodeError('unknown-transport', `there is no transport ${transportId} here`);
    if (host.role.name !== 'owner' || host.role.epoch >= epoch) {
      throw new NodeError('moved', `transport ${transportId} is not owned here in an epoch below ${epoch}`);
    }
    return host;
  }

  /** Owner without RELEASE, or after a take-back: its indices end at a ceiling, so nothing may be granted on. */
  #isLimited(transportId: string): boolean {
    return (
      this.#lastSource.get(transportId)?.move.isLimited === true ||
      this.#lastTarget.get(transportId)?.move.stateName === 'limited'
    );
  }

  #bound(): void {
    if (this.#sources.size + this.#targets.size >= MOVES_MAX) {
      throw new NodeError('busy', `this node remembers ${MOVES_MAX} moves already`);
    }
  }

  /** A restarted node knows nothing of a move: it never had the transport, so it can say so. */
  #answerUnknown(linkId: string, message: HandoverMessage): void {
    const { moveId, epoch } = message;
    const answer = (kind: 'refused' | 'forgotten' | 'released'): void => {
      this.#context.datapath.sendLinkMessage(linkId, encodeHandoverMessage({ kind, moveId, epoch }));
    };
    if (message.kind === 'transfer' && message.fragment === 0) answer('refused');
    else if (message.kind === 'abort') answer('forgotten');
  }
}
