import type { MoveFailure, MoveOutcome } from '@godwit/protocol';
import {
  CONFIRM_REPEAT_MS,
  DUPLICATE_PATHS_MS,
  GRANT_INDICES,
  LINGER_MS,
  RELEASE_WANTED_MS,
  SETTLE_MS,
  SOURCE_PATIENCE_MS,
  TAKE_BACK_SILENCE_MS,
  TRANSFER_FAST_REPEATS,
  TRANSFER_FRAGMENT_BYTES,
  TRANSFER_REPEAT_MS,
  TRANSFER_REPEAT_SLOW_MS,
} from '../limits.js';
import type { HandoverMessage, PlainMessageKind } from './messages.js';
import type { SourceMoveOptions, SourceMoveOutput, SourceMoveState as State } from './source-move-values.js';

/** The source's half of a planned move (HANDOVER 2). Sans-IO: inputs return what is to be done. */
export class SourceMove {
  readonly options: SourceMoveOptions;
  #state: State = { name: 'proving', duplicatesUntilMs: null };
  #startedAtMs: number;
  #provenPathId: number | null = null;
  #measures: { pathMs?: number; transferMs?: number; stateBytes?: number; transferAttempts?: number } = {};

  constructor(nowMs: number, options: SourceMoveOptions) {
    this.options = options;
    this.#startedAtMs = nowMs;
  }

  get stateName(): State['name'] {
    return this.#state.name;
  }

  /** The client's address at the target from which authenticated media has come, by the target's name for it. */
  get provenPathId(): number | null {
    return this.#provenPathId;
  }

  /** True while the client's path may be at the target although we own the transport. */
  get ownerElsewhereOnPath(): boolean {
    const name = this.#state.name;
    return ['proving', 'proven', 'returning', 'settling', 'transferring'].includes(name);
  }

  start(): SourceMoveOutput[] {
    return [{ kind: 'watchTargetPath' }];
  }

  /**
   * Authenticated, fresh SRTP or SRTCP has come through the target, from the client's address that it calls `pathId`.
   * `isWhole`: no packet for the client has been overtaken by another; the new owner could not send it any more.
   */
  provenAtTarget(nowMs: number, pathId: number, isWhole: boolean): SourceMoveOutput[] {
    if (this.#state.name !== 'proving') return [];
    this.#provenPathId = pathId;
    this.#measures.pathMs = nowMs - this.#startedAtMs;
    const outputs: SourceMoveOutput[] = [
      { kind: 'usePaths', paths: 'target' },
      { kind: 'send', message: this.#pathProvenMessage(pathId) },
      { kind: 'reportProven', measures: { ...this.#measures } },
    ];
    if (this.options.rehearsal) {
      this.#state = { name: 'proven' };
      return outputs;
    }
    this.#state = { name: 'settling', untilMs: nowMs + SETTLE_MS };
    return [...outputs, ...this.#settle(nowMs, isWhole)];
  }

  /** The sealed state that `freeze` asked for. */
  frozen(nowMs: number, sealed: Buffer): SourceMoveOutput[] {
    if (this.#state.name !== 'freezing') return [];
    this.#measures.stateBytes = sealed.length;
    const fragments: Buffer[] = [];
    for (let offset = 0; offset < sealed.length; offset += TRANSFER_FRAGMENT_BYTES) {
      fragments.push(sealed.subarray(offset, offset + TRANSFER_FRAGMENT_BYTES));
    }
    this.#state = {
      name: 'transferring',
      sealed: fragments,
      frozenAtMs: nowMs,
      nextSendMs: nowMs + TRANSFER_REPEAT_MS,
      nextAskMs: nowMs + RELEASE_WANTED_MS,
      attempts: 1,
    };
    return this.#transferMessages(fragments);
  }

  /** Freezing failed (the state could not be sealed): nothing has left, the transport stays. */
  freezeFailed(nowMs: number): SourceMoveOutput[] {
    if (this.#state.name !== 'freezing') return [];
    return this.#takeBack(nowMs, 'transfer-refused', 0);
  }

  receive(nowMs: number, message: HandoverMessage): SourceMoveOutput[] {
    if (message.epoch !== this.options.epoch) return [];
    switch (message.kind) {
      case 'pathNominated':
        return this.#nominated(nowMs);
      case 'accepted':
        return this.#accepted(nowMs);
      case 'refused':
        return this.#state.name === 'transferring'
          ? this.#takeBack(nowMs, 'transfer-refused', GRANT_INDICES)
          : [];
      case 'released':
        if (this.#state.name === 'releasing')
          this.#state = { name: 'lingering', untilMs: this.#state.untilMs };
        return [];
      case 'forgotten':
        return this.#state.name === 'aborting' ? this.#finish() : [];
      case 'transfer':
      case 'release':
      case 'abort':
      case 'pathProven':
        return [];
    }
  }

  /** True while the indices of a transport that was taken back still end: it cannot move on. */
  get isLimited(): boolean {
    return this.#state.name === 'aborting' && this.#state.isLimited;
  }

  /** A rehearsal goes home: control is about to tell the client a fresh address of ours. False: there is none to send. */
  returnPath(): boolean {
    if (this.#state.name === 'returning') return true;
    if (this.#state.name !== 'proven') return false;
    this.#state = { name: 'returning' };
    return true;
  }

  /** Control's word that the target has let go, or is dead. Null: we do not hold the transport by this move. */
  release(epoch: number): SourceMoveOutput[] | null {
    switch (this.#state.name) {
      case 'aborting':
        return [{ kind: 'ownAs', epoch }, ...this.#finish()];
      case 'done':
        return [];
      default:
        return null;
    }
  }

  /** ACCEPTED by way of control, when the link does not carry it. Null: the transport is ours after all. */
  acceptedByControl(nowMs: number): SourceMoveOutput[] | null {
    switch (this.#state.name) {
      case 'transferring':
        return this.#accepted(nowMs);
      case 'releasing':
      case 'lingering':
        return [];
      default:
        return null;
    }
  }

  /** The client has nominated an address of ours again. */
  nominatedHere(): SourceMoveOutput[] {
    if (this.#state.name !== 'returning') return [];
    // A client that was told by an ICE restart may have closed the address that it has at the target.
    return [{ kind: 'usePaths', paths: 'both' }, { kind: 'watchOwnPath' }];
  }

  /** Authenticated media has come directly to us. */
  provenHere(nowMs: number): SourceMoveOutput[] {
    if (this.#state.name !== 'returning') return [];
    return [
      { kind: 'usePaths', paths: 'own' },
      { kind: 'reportPathReturned' },
      ...this.#end(nowMs, 'rehearsed'),
    ];
  }

  /** Control gives the move up. False: too late, only `force` (control's word) takes the transport back now. */
  cancel(nowMs: number, force: boolean): SourceMoveOutput[] | null {
    switch (this.#state.name) {
      case 'proving':
        return [{ kind: 'usePaths', paths: 'own' }, ...this.#end(nowMs, 'cancelled', 'cancelled')];
      case 'proven':
      case 'returning':
      case 'settling':
        // The client is at the target and may have dropped our old address: both, until it shows itself here.
        return [
          { kind: 'usePaths', paths: 'both' },
          { kind: 'watchOwnPath' },
          ...this.#end(nowMs, 'cancelled', 'cancelled'),
        ];
      case 'transferring':
        return force ? this.#takeBack(nowMs, 'cancelled', GRANT_INDICES) : null;
      case 'freezing':
      case 'releasing':
      case 'lingering':
        return null;
      case 'aborting':
      case 'done':
        return [];
    }
  }

  /** `targetHeardAtMs`, `controlHeardAtMs`: when the link and control last said anything at all. */
  tick(
    nowMs: number,
    targetHeardAtMs: number,
    controlHeardAtMs: number,
    isWhole: () => boolean = () => true,
  ): SourceMoveOutput[] {
    const state = this.#state;
    switch (state.name) {
      case 'proving':
        if (this.#isOutOfPatience(nowMs)) return this.#giveUp(nowMs, 'path-not-proven');
        if (state.duplicatesUntilMs === null || nowMs < state.duplicatesUntilMs) return [];
        state.duplicatesUntilMs = null;
        return [{ kind: 'usePaths', paths: 'own' }];
      case 'settling':
        return this.#settle(nowMs, isWhole());
      case 'transferring':
        return this.#repeatTransfer(nowMs, state, Math.max(targetHeardAtMs, controlHeardAtMs));
      case 'releasing':
        if (nowMs >= state.untilMs) return this.#finish();
        if (nowMs < state.nextSendMs) return [];
        state.nextSendMs = nowMs + CONFIRM_REPEAT_MS;
        return [{ kind: 'send', message: this.#message('release') }];
      case 'aborting':
        return this.#repeatAbort(nowMs, state);
      case 'lingering':
        return nowMs >= state.untilMs ? this.#finish() : [];
      case 'proven':
      case 'returning':
        return this.#isOutOfPatience(nowMs) ? this.#giveUp(nowMs, 'path-did-not-return') : [];
      case 'freezing':
      case 'done':
        return [];
    }
  }

  #isOutOfPatience(nowMs: number): boolean {
    return nowMs - this.#startedAtMs >= SOURCE_PATIENCE_MS;
  }

  #giveUp(nowMs: number, failure: MoveFailure): SourceMoveOutput[] {
    return [{ kind: 'usePaths', paths: 'own' }, ...this.#end(nowMs, 'failed', failure)];
  }

  /**
   * A target that does not answer is dead, or cut off. After a take-back it may own the transport as well, and control may
   * have let it go on: only its answer or control's word sets us free, however long that takes.
   */
  #repeatAbort(nowMs: number, state: Extract<State, { name: 'aborting' }>): SourceMoveOutput[] {
    const isLate = nowMs >= state.untilMs;
    if (isLate && !state.isLimited) return this.#finish();
    const outputs: SourceMoveOutput[] = [];
    if (state.isLimited && nowMs >= state.nextAskMs) {
      state.nextAskMs = nowMs + RELEASE_WANTED_MS;
      outputs.push({ kind: 'askRelease' });
    }
    if (nowMs >= state.nextSendMs) {
      state.nextSendMs = nowMs + (isLate ? RELEASE_WANTED_MS : CONFIRM_REPEAT_MS);
      outputs.push({ kind: 'send', message: this.#abortMessage(state.ownerEpoch) });
    }
    return outputs;
  }

  #settle(nowMs: number, isWhole: boolean): SourceMoveOutput[] {
    const state = this.#state;
    if (state.name !== 'settling' || (!isWhole && nowMs < state.untilMs)) return [];
    this.#state = { name: 'freezing' };
    return [{ kind: 'freeze' }];
  }

  #nominated(nowMs: number): SourceMoveOutput[] {
    const state = this.#state;
    if (state.name !== 'proving' || state.duplicatesUntilMs !== null) return [];
    state.duplicatesUntilMs = nowMs + DUPLICATE_PATHS_MS;
    return [{ kind: 'usePaths', paths: 'both' }];
  }

  #accepted(nowMs: number): SourceMoveOutput[] {
    const state = this.#state;
    if (state.name !== 'transferring') return [];
    this.#measures.transferMs = nowMs - state.frozenAtMs;
    this.#measures.transferAttempts = state.attempts;
    this.#state = { name: 'releasing', untilMs: nowMs + LINGER_MS, nextSendMs: nowMs + CONFIRM_REPEAT_MS };
    return [
      { kind: 'handOff' },
      { kind: 'send', message: this.#message('release') },
      {
        kind: 'reportEnded',
        outcome: 'completed',
        owner: 'target',
        epoch: this.options.epoch,
        measures: { ...this.#measures },
      },
    ];
  }

  #repeatTransfer(
    nowMs: number,
    state: Extract<State, { name: 'transferring' }>,
    heardAtMs: number,
  ): SourceMoveOutput[] {
    const silentSince = Math.max(heardAtMs, state.frozenAtMs);
    if (nowMs - silentSince >= TAKE_BACK_SILENCE_MS) {
      return this.#takeBack(nowMs, 'target-unreachable', GRANT_INDICES);
    }
    const outputs: SourceMoveOutput[] = [];
    if (nowMs >= state.nextAskMs) {
      state.nextAskMs = nowMs + RELEASE_WANTED_MS;
      outputs.push({ kind: 'askAnswer' });
    }
    if (nowMs < state.nextSendMs) return outputs;
    state.attempts += 1;
    const pause = state.attempts <= TRANSFER_FAST_REPEATS ? TRANSFER_REPEAT_MS : TRANSFER_REPEAT_SLOW_MS;
    state.nextSendMs = nowMs + pause;
    return [...outputs, ...this.#transferMessages(state.sealed)];
  }

  #takeBack(nowMs: number, failure: MoveFailure, skip: number): SourceMoveOutput[] {
    const state = this.#state;
    if (state.name === 'transferring') this.#measures.transferAttempts = state.attempts;
    return [
      { kind: 'takeBack', skip, count: GRANT_INDICES },
      // The client's path may be at either node now; identical ciphertext to both until it shows itself.
      { kind: 'usePaths', paths: 'both' },
      { kind: 'watchOwnPath' },
      ...this.#end(nowMs, 'failed', failure, { ownerEpoch: this.options.returnEpoch, isLimited: true }),
    ];
  }

  /** The transport stays here: the target is told until it confirms. */
  #end(
    nowMs: number,
    outcome: MoveOutcome,
    failure?: MoveFailure,
    owned = { ownerEpoch: this.options.currentEpoch, isLimited: false },
  ): SourceMoveOutput[] {
    this.#state = {
      name: 'aborting',
      ...owned,
      untilMs: nowMs + LINGER_MS,
      nextSendMs: nowMs + CONFIRM_REPEAT_MS,
      nextAskMs: nowMs + RELEASE_WANTED_MS,
    };
    return [
      { kind: 'send', message: this.#abortMessage(owned.ownerEpoch) },
      {
        kind: 'reportEnded',
        outcome,
        ...(failure === undefined ? {} : { failure }),
        owner: 'source',
        epoch: owned.ownerEpoch,
        measures: { ...this.#measures },
      },
    ];
  }

  #finish(): SourceMoveOutput[] {
    this.#state = { name: 'done' };
    return [{ kind: 'done' }];
  }

  #transferMessages(fragments: readonly Buffer[]): SourceMoveOutput[] {
    return fragments.map((bytes, fragment) => ({
      kind: 'send',
      message: {
        kind: 'transfer',
        moveId: this.options.moveId,
        epoch: this.options.epoch,
        fragment,
        fragments: fragments.length,
        bytes,
      },
    }));
  }

  #abortMessage(ownerEpoch: number): HandoverMessage {
    return { kind: 'abort', moveId: this.options.moveId, epoch: this.options.epoch, ownerEpoch };
  }

  #pathProvenMessage(pathId: number): HandoverMessage {
    return { kind: 'pathProven', moveId: this.options.moveId, epoch: this.options.epoch, pathId };
  }

  #message(kind: PlainMessageKind): HandoverMessage {
    return { kind, moveId: this.options.moveId, epoch: this.options.epoch };
  }
}
