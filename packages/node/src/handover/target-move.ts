import type { MoveFailure } from '@godwit/protocol';
import {
  GRANT_INDICES,
  PREPARED_TTL_MS,
  RELEASE_WANTED_MS,
  REPORT_FOR_SOURCE_MS,
  TOMBSTONE_MS,
} from '../limits.js';
import type { HandoverMessage, PlainMessageKind } from './messages.js';

export interface TargetMoveOptions {
  readonly moveId: string;
  readonly transportId: string;
  readonly epoch: number;
  readonly sourceNodeId: string;
}

/** What the target must do now, in this order. */
export type TargetMoveOutput =
  | { readonly kind: 'send'; readonly message: HandoverMessage }
  /** The client's address that we call `pathId` has proven itself to the owner. */
  | { readonly kind: 'pathProven'; readonly pathId: number }
  /** The sealed state is complete: open and thaw it, then call `thawed` or `thawFailed`. */
  | { readonly kind: 'thaw'; readonly sealed: Buffer }
  /** `skip`: indices above the ceiling that are not ours for all that. */
  | { readonly kind: 'liftCeiling'; readonly skip: number }
  /** Own the transport as `epoch` from now on: control's word. */
  | { readonly kind: 'ownAs'; readonly epoch: number }
  /** Ask control for the word that the source does not give. */
  | { readonly kind: 'askRelease' }
  /** The source owns the transport again although we had begun: stop encrypting, destroy the keys, relay. */
  | { readonly kind: 'yield'; readonly ownerEpoch: number }
  | { readonly kind: 'reportCompleted' }
  /** `epoch`: the source's; null when we do not know it. */
  | { readonly kind: 'reportFailed'; readonly failure: MoveFailure; readonly epoch: number | null }
  /** Drop the preparation; what the client still sends here is relayed for a while. The tombstone stays until `done`. */
  | { readonly kind: 'forget' }
  | { readonly kind: 'done' };

type State =
  | { readonly name: 'prepared'; expiresAtMs: number; fragments: (Buffer | undefined)[] }
  | { readonly name: 'thawing' }
  /** Owner inside [N, N+L) until RELEASE. */
  | { readonly name: 'limited'; reportAtMs: number; askAtMs: number }
  | { readonly name: 'owner'; untilMs: number }
  | { readonly name: 'tombstone'; untilMs: number }
  | { readonly name: 'done' };

/** The target's half of a planned move (HANDOVER 2). Sans-IO. */
export class TargetMove {
  readonly options: TargetMoveOptions;
  #state: State;

  constructor(nowMs: number, options: TargetMoveOptions) {
    this.options = options;
    this.#state = { name: 'prepared', expiresAtMs: nowMs + PREPARED_TTL_MS, fragments: [] };
  }

  get stateName(): State['name'] {
    return this.#state.name;
  }

  /** The client nominated an address of ours. */
  nominated(): TargetMoveOutput[] {
    if (this.#state.name !== 'prepared') return [];
    return [{ kind: 'send', message: this.#message('pathNominated') }];
  }

  receive(nowMs: number, message: HandoverMessage): TargetMoveOutput[] {
    if (message.epoch !== this.options.epoch) return [];
    switch (message.kind) {
      case 'pathProven':
        return this.#pathProven(nowMs, message.pathId);
      case 'transfer':
        return this.#transfer(message);
      case 'release':
        return this.#release(nowMs);
      case 'abort':
        return this.#abort(nowMs, message.ownerEpoch);
      case 'pathNominated':
      case 'accepted':
      case 'refused':
      case 'released':
      case 'forgotten':
        return [];
    }
  }

  /** The source tells control of it, with what it measured; only when it falls silent is it for us to tell. */
  thawed(nowMs: number): TargetMoveOutput[] {
    if (this.#state.name !== 'thawing') return [];
    this.#state = {
      name: 'limited',
      reportAtMs: nowMs + REPORT_FOR_SOURCE_MS,
      askAtMs: nowMs + RELEASE_WANTED_MS,
    };
    return [{ kind: 'send', message: this.#message('accepted') }];
  }

  thawFailed(nowMs: number): TargetMoveOutput[] {
    if (this.#state.name !== 'thawing') return [];
    this.#state = { name: 'tombstone', untilMs: nowMs + TOMBSTONE_MS };
    return [
      { kind: 'send', message: this.#message('refused') },
      { kind: 'reportFailed', failure: 'transfer-refused', epoch: null },
      { kind: 'forget' },
    ];
  }

  /** Control gives the move up. Null: too late, the transport is ours. */
  cancel(nowMs: number): TargetMoveOutput[] | null {
    switch (this.#state.name) {
      case 'prepared':
        this.#state = { name: 'tombstone', untilMs: nowMs + TOMBSTONE_MS };
        return [{ kind: 'forget' }];
      case 'thawing':
      case 'limited':
      case 'owner':
        return null;
      case 'tombstone':
      case 'done':
        return [];
    }
  }

  /**
   * Control's word that the source has let go, or, with a new epoch, that it counts as dead. Should it live on in a
   * partition, it may have taken the transport back, so we leave it what it may use then. Null: we do not hold the
   * transport by this move.
   */
  release(nowMs: number, epoch: number): TargetMoveOutput[] | null {
    const state = this.#state;
    switch (state.name) {
      case 'limited': {
        const isReported = state.reportAtMs === Number.POSITIVE_INFINITY;
        this.#state = { name: 'owner', untilMs: nowMs + TOMBSTONE_MS };
        const skip = epoch === this.options.epoch ? 0 : GRANT_INDICES;
        const outputs: TargetMoveOutput[] = [
          { kind: 'ownAs', epoch },
          { kind: 'liftCeiling', skip },
        ];
        return isReported ? outputs : [...outputs, { kind: 'reportCompleted' }];
      }
      case 'owner':
        return [{ kind: 'ownAs', epoch }];
      case 'prepared':
      case 'thawing':
      case 'tombstone':
      case 'done':
        return null;
    }
  }

  /** ABORT by way of control, when the link does not carry it. Null: the transport is ours after all. */
  abortedByControl(nowMs: number, ownerEpoch: number): TargetMoveOutput[] | null {
    switch (this.#state.name) {
      case 'prepared':
      case 'limited':
      case 'tombstone':
        return this.#abort(nowMs, ownerEpoch);
      case 'thawing':
      case 'owner':
      case 'done':
        return null;
    }
  }

  tick(nowMs: number): TargetMoveOutput[] {
    const state = this.#state;
    switch (state.name) {
      case 'prepared':
        if (nowMs < state.expiresAtMs) return [];
        this.#state = { name: 'tombstone', untilMs: nowMs + TOMBSTONE_MS };
        return [{ kind: 'reportFailed', failure: 'source-lost', epoch: null }, { kind: 'forget' }];
      case 'owner':
      case 'tombstone':
        if (nowMs < state.untilMs) return [];
        this.#state = { name: 'done' };
        return [{ kind: 'done' }];
      case 'limited':
        return this.#waitForRelease(nowMs, state);
      case 'thawing':
      case 'done':
        return [];
    }
  }

  #waitForRelease(nowMs: number, state: Extract<State, { name: 'limited' }>): TargetMoveOutput[] {
    const outputs: TargetMoveOutput[] = [];
    if (nowMs >= state.reportAtMs) {
      state.reportAtMs = Number.POSITIVE_INFINITY;
      outputs.push({ kind: 'reportCompleted' });
    }
    if (nowMs >= state.askAtMs) {
      state.askAtMs = nowMs + RELEASE_WANTED_MS;
      outputs.push({ kind: 'askRelease' });
    }
    return outputs;
  }

  /** The state follows its proof, and may overtake it: the word is as good for an owner. */
  #pathProven(nowMs: number, pathId: number): TargetMoveOutput[] {
    const state = this.#state;
    switch (state.name) {
      case 'prepared':
        state.expiresAtMs = nowMs + PREPARED_TTL_MS;
        return [{ kind: 'pathProven', pathId }];
      case 'limited':
      case 'owner':
        return [{ kind: 'pathProven', pathId }];
      case 'thawing':
      case 'tombstone':
      case 'done':
        return [];
    }
  }

  #transfer(message: Extract<HandoverMessage, { kind: 'transfer' }>): TargetMoveOutput[] {
    const state = this.#state;
    switch (state.name) {
      case 'prepared': {
        if (state.fragments.length !== message.fragments) {
          state.fragments = Array.from({ length: message.fragments }, () => undefined);
        }
        state.fragments[message.fragment] = message.bytes;
        const complete = state.fragments.filter((fragment) => fragment !== undefined);
        if (complete.length !== message.fragments) return [];
        this.#state = { name: 'thawing' };
        return [{ kind: 'thaw', sealed: Buffer.concat(complete) }];
      }
      case 'limited':
      case 'owner':
        // Our ACCEPTED was lost. One answer a repetition is enough, so only the first fragment asks for it.
        return message.fragment === 0 ? [{ kind: 'send', message: this.#message('accepted') }] : [];
      case 'tombstone':
        return message.fragment === 0 ? [{ kind: 'send', message: this.#message('refused') }] : [];
      case 'thawing':
      case 'done':
        return [];
    }
  }

  #release(nowMs: number): TargetMoveOutput[] {
    switch (this.#state.name) {
      case 'limited':
        this.#state = { name: 'owner', untilMs: nowMs + TOMBSTONE_MS };
        return [
          { kind: 'liftCeiling', skip: 0 },
          { kind: 'send', message: this.#message('released') },
        ];
      case 'owner':
        return [{ kind: 'send', message: this.#message('released') }];
      case 'prepared':
      case 'thawing':
      case 'tombstone':
      case 'done':
        return [];
    }
  }

  #abort(nowMs: number, ownerEpoch: number): TargetMoveOutput[] {
    const forgotten: TargetMoveOutput = { kind: 'send', message: this.#message('forgotten') };
    switch (this.#state.name) {
      case 'prepared':
        this.#state = { name: 'tombstone', untilMs: nowMs + TOMBSTONE_MS };
        return [forgotten, { kind: 'forget' }];
      case 'limited':
        this.#state = { name: 'tombstone', untilMs: nowMs + TOMBSTONE_MS };
        return [
          { kind: 'yield', ownerEpoch },
          forgotten,
          { kind: 'reportFailed', failure: 'target-unreachable', epoch: ownerEpoch },
        ];
      case 'tombstone':
        return [forgotten];
      case 'thawing':
      case 'owner':
      case 'done':
        return [];
    }
  }

  #message(kind: PlainMessageKind): HandoverMessage {
    return { kind, moveId: this.options.moveId, epoch: this.options.epoch };
  }
}
