import type { IceCredentials } from '@godwit/protocol';
import {
  buildBindingSuccess,
  buildErrorResponse,
  parseStunMessage,
  STUN_ERRORS,
  STUN_METHOD_BINDING,
  verifyFingerprint,
  verifyIntegrity,
  type StunMessage,
} from '@godwit/rtp';
import { CONSENT_TIMEOUT_MS, ICE_REFUSALS_PER_SECOND_MAX } from '../limits.js';
import { parseIceUsername } from './credentials.js';
import type { FrozenIce } from './frozen-ice.js';
import { isSamePair, type IcePair } from './pair.js';
import { ReplyBudget } from './reply-budget.js';

/** Why a message was not taken as a check. Also the label of the node's counter. */
export type IceRejection =
  | 'malformed'
  | 'notBindingRequest'
  | 'fingerprint'
  | 'unknownUsername'
  | 'integrity'
  | 'unknownAttribute'
  | 'roleConflict';

export type IceOutput =
  /**
   * A response, to be sent where the request came from. `endsGeneration`: a client that reads it may close its addresses of
   * the generation before, as Firefox does at once, with what it has not read there.
   */
  | { readonly kind: 'send'; readonly pair: IcePair; readonly bytes: Buffer; readonly endsGeneration?: true }
  /** An authenticated check: media may be taken from its pair (it need not be nominated). */
  | { readonly kind: 'validated'; readonly pair: IcePair }
  /** The client selected this pair; it differs from the one nominated before, or begins a generation. */
  | { readonly kind: 'nominated'; readonly pair: IcePair }
  | { readonly kind: 'rejected'; readonly reason: IceRejection }
  /** No check for CONSENT_TIMEOUT_MS: nothing may be sent any more (RFC 7675). Said once. */
  | { readonly kind: 'consentExpired' };

export interface IceLiteAgentInit {
  readonly local: IceCredentials;
  /** Null until the client's description is known: its checks may come first. */
  readonly remote: IceCredentials | null;
}

interface Generation {
  readonly local: IceCredentials;
  remote: IceCredentials | null;
}

/**
 * ICE-lite (RFC 8445 2.5) of one transport: answers checks, never sends any; always controlled. During an ICE restart
 * the previous credentials stay good until the client nominates a pair with the new ones.
 */
export class IceLiteAgent {
  #current: Generation;
  #previous: Generation | null = null;
  #nominated: IcePair | null = null;
  /** Generation of the last authenticated check. */
  #heard: Generation | null = null;
  #lastHeardMs: number;
  #isExpired = false;
  readonly #refusals = new ReplyBudget(ICE_REFUSALS_PER_SECOND_MAX);

  constructor(nowMs: number, init: IceLiteAgentInit) {
    this.#current = { local: init.local, remote: init.remote };
    this.#lastHeardMs = nowMs;
  }

  /** Goes on with another node's agent. Its pairs stay behind: they named that node's sockets. */
  static thaw(nowMs: number, frozen: FrozenIce): IceLiteAgent {
    const agent = new IceLiteAgent(nowMs, { local: frozen.local, remote: frozen.remote });
    agent.#previous = frozen.previous;
    agent.#lastHeardMs = nowMs - frozen.heardAgeMs;
    return agent;
  }

  /**
   * A target that has answered checks already takes over what the source knew; its own pairs stay.
   * False when the state is of other credentials: nothing has changed then.
   */
  adopt(nowMs: number, frozen: FrozenIce): boolean {
    if (frozen.local.ufrag !== this.#current.local.ufrag) return false;
    this.#current.remote ??= frozen.remote;
    if (this.#nominated === null) this.#previous = frozen.previous;
    this.noteConsent(nowMs - frozen.heardAgeMs);
    return true;
  }

  freeze(nowMs: number): FrozenIce {
    return {
      local: this.#current.local,
      remote: this.#current.remote,
      previous: this.#previous === null ? null : { ...this.#previous },
      heardAgeMs: Math.max(0, nowMs - this.#lastHeardMs),
    };
  }

  /** Local ufrags by which a demultiplexer finds this agent: the current one first. */
  get localUfrags(): readonly string[] {
    const previous = this.#previous === null ? [] : [this.#previous.local.ufrag];
    return [this.#current.local.ufrag, ...previous];
  }

  get local(): IceCredentials {
    return this.#current.local;
  }

  get remote(): IceCredentials | null {
    return this.#current.remote;
  }

  get nominated(): IcePair | null {
    return this.#nominated;
  }

  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** The client's credentials of the current generation, once its description is known. */
  setRemote(remote: IceCredentials): void {
    this.#current.remote = remote;
  }

  /** A server-offered ICE restart: new credentials, with which every address is fresh again to the client. */
  restart(local: IceCredentials): void {
    // On top of a restart that the client has not followed, the credentials that it uses are the previous ones.
    if (this.#previous === null || this.#heard === this.#current) this.#previous = this.#current;
    this.#current = { local, remote: null };
  }

  /** Another node answered an authenticated check of this transport: consent goes on. */
  noteConsent(nowMs: number): void {
    if (nowMs <= this.#lastHeardMs) return;
    this.#lastHeardMs = nowMs;
    this.#isExpired = false;
  }

  /**
   * A datagram that looks like STUN (RFC 7983). At most one `send`, never larger than its request: whoever forges a
   * source address gains nothing by it. Authenticated checks are all answered: a budget for them could be spent by
   * replays, and the client's own checks would go short.
   */
  handleBindingRequest(nowMs: number, bytes: Uint8Array, from: IcePair): IceOutput[] {
    const message = parseStunMessage(bytes);
    if (message === null) return [rejected('malformed')];
    if (message.class !== 'request' || message.method !== STUN_METHOD_BINDING) {
      return [rejected('notBindingRequest')];
    }
    // Browsers always send it; without it the datagram may be something else (RFC 8445 7.1).
    if (!verifyFingerprint(message)) return [rejected('fingerprint')];
    const generation = this.#findGeneration(message);
    if (generation === null) return this.#refuse(nowMs, message, from, 'unknownUsername');
    if (!verifyIntegrity(message, generation.local.pwd))
      return this.#refuse(nowMs, message, from, 'integrity');
    return this.#answer(nowMs, message, from, generation);
  }

  /** Call about once a second. */
  tick(nowMs: number): IceOutput[] {
    if (this.#isExpired || nowMs - this.#lastHeardMs <= CONSENT_TIMEOUT_MS) return [];
    this.#isExpired = true;
    return [{ kind: 'consentExpired' }];
  }

  #findGeneration(message: StunMessage): Generation | null {
    const username = message.username === undefined ? null : parseIceUsername(message.username);
    if (username === null) return null;
    for (const generation of [this.#current, this.#previous]) {
      if (generation?.local.ufrag !== username.localUfrag) continue;
      const isTheirs = generation.remote === null || generation.remote.ufrag === username.remoteUfrag;
      return isTheirs ? generation : null;
    }
    return null;
  }

  /** RFC 8489 9.1.3: 400 without credentials, else 401; neither is authenticated. */
  #refuse(nowMs: number, message: StunMessage, pair: IcePair, reason: IceRejection): IceOutput[] {
    if (!this.#refusals.take(nowMs)) return [rejected(reason)];
    const hasCredentials = message.username !== undefined && message.integrityOffset !== -1;
    const error = hasCredentials ? STUN_ERRORS.unauthenticated : STUN_ERRORS.badRequest;
    const bytes = buildErrorResponse({ transactionId: message.transactionId, ...error });
    return [...answer(message, pair, bytes), rejected(reason)];
  }

  #answer(nowMs: number, message: StunMessage, pair: IcePair, generation: Generation): IceOutput[] {
    const password = generation.local.pwd;
    const { transactionId } = message;
    const refuse = (error: { code: number; reason: string }, reason: IceRejection): IceOutput[] => {
      const unknownAttributes = reason === 'unknownAttribute' ? message.unknownRequired : undefined;
      const bytes = buildErrorResponse({ transactionId, ...error, password, unknownAttributes });
      return [...answer(message, pair, bytes), rejected(reason)];
    };
    if (message.unknownRequired.length > 0) return refuse(STUN_ERRORS.unknownAttribute, 'unknownAttribute');
    // RFC 8445 7.3.1.1: a lite agent never becomes controlling.
    if (message.iceRole?.role === 'controlled') return refuse(STUN_ERRORS.roleConflict, 'roleConflict');

    this.noteConsent(nowMs);
    this.#heard = generation;
    const bytes = buildBindingSuccess({ transactionId, mapped: pair.remote, password });
    const endsGeneration = this.#previous !== null && generation === this.#current;
    const outputs: IceOutput[] = [
      ...answer(message, pair, bytes, endsGeneration),
      { kind: 'validated', pair },
    ];
    if (message.useCandidate && this.#nominate(pair, generation)) outputs.push({ kind: 'nominated', pair });
    return outputs;
  }

  /** True when the path changes, or a generation begins. The first nomination of a new generation ends the previous one. */
  #nominate(pair: IcePair, generation: Generation): boolean {
    const isFirstOfGeneration = generation === this.#current && this.#previous !== null;
    if (generation === this.#current) this.#previous = null;
    // In a new generation an address of an older one may be chosen again: the client has come back to it.
    if (!isFirstOfGeneration && this.#nominated !== null && isSamePair(this.#nominated, pair)) return false;
    this.#nominated = pair;
    return true;
  }
}

function rejected(reason: IceRejection): IceOutput {
  return { kind: 'rejected', reason };
}

/** None when it would be larger than its request, as it can be when that names many attributes that we do not know. */
function answer(request: StunMessage, pair: IcePair, bytes: Buffer, endsGeneration = false): IceOutput[] {
  if (bytes.length > request.bytes.length) return [];
  return [{ kind: 'send', pair, bytes, ...(endsGeneration ? { endsGeneration } : {}) }];
}
