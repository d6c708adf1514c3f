import type { IceCredentials } from '@godwit/protocol';
import { buildBindingRequest, parseStunMessage, verifyIntegrity } from '@godwit/rtp';

/** Chromium checks a pair about this often until it has answered. */
const CHECK_INTERVAL_MS = 50;
/** Chromium checks a stable selected pair this often; it keeps consent (RFC 7675 asks for 5 s at most). */
const CONSENT_INTERVAL_MS = 2_500;
/** A selected pair that was not heard for so long competes with the others again: one consent check was not answered. */
const SILENT_MS = 3_000;
/** A pair that never answered is not checked any more. */
const CHECK_GIVE_UP_MS = 15_000;
/** RFC 7675 5.1. */
const CONSENT_EXPIRED_MS = 30_000;
/** A client is told of one address for each hop; older pairs are of no use. */
const PAIRS_MAX = 16;
/** Checks whose answers are still awaited; one pair has a few, at most. */
const CHECKS_PENDING_MAX = 128;
/** A host candidate's priority as a peer-reflexive one (RFC 8445 7.1.1). */
const PEER_REFLEXIVE_PRIORITY = 0x6e7f00ff;

/** An address of the server with the priority that it announced. */
export interface IceRemote {
  readonly address: string;
  readonly port: number;
  readonly priority: number;
}

export type IceClientOutput =
  | { readonly kind: 'send'; readonly to: IceRemote; readonly bytes: Buffer }
  /** Media goes there from now on. */
  | { readonly kind: 'selected'; readonly remote: IceRemote }
  /** Nothing has answered for CONSENT_EXPIRED_MS. Said once. */
  | { readonly kind: 'consentExpired' };

interface Generation {
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
}

interface Pair {
  readonly remote: IceRemote;
  readonly generation: Generation;
  readonly sinceMs: number;
  checkedMs: number;
  /** Null until its first answer. */
  heardMs: number | null;
  /** The server has answered a check that nominates it. */
  nominated: boolean;
}

interface PendingCheck {
  readonly pair: Pair;
  readonly nominates: boolean;
}

/**
 * The controlling half of ICE towards an ICE-lite server, with one local socket (RFC 8445). It does what Chromium does:
 * checks each address, takes the one of highest priority that answers, and nominates a pair only once it is selected.
 * No socket, clock or timer: feed it and carry out what it returns.
 */
export class IceClient {
  readonly #tieBreaker: bigint;
  readonly #transactionPrefix: Buffer;
  #transactions = 0;
  #pairs: Pair[] = [];
  #generation: Generation | null = null;
  #selected: Pair | null = null;
  #isExpired = false;
  readonly #pending = new Map<number, PendingCheck>();

  /** `random`: 16 bytes, for the tie-breaker and the transaction ids. */
  constructor(random: Buffer) {
    this.#tieBreaker = random.readBigUInt64BE(0);
    this.#transactionPrefix = Buffer.from(random.subarray(8, 16));
  }

  get selected(): IceRemote | null {
    return this.#selected?.remote ?? null;
  }

  /** Begins, or restarts with new credentials: the former pairs serve until one of the new generation answers. */
  start(
    nowMs: number,
    local: IceCredentials,
    remote: IceCredentials,
    remotes: readonly IceRemote[],
  ): IceClientOutput[] {
    this.#generation = { local, remote };
    return remotes.flatMap((each) => this.addRemote(nowMs, each));
  }

  /** One more address of the current generation; a known one is ignored. */
  addRemote(nowMs: number, remote: IceRemote): IceClientOutput[] {
    const generation = this.#generation;
    if (generation === null) throw new Error('ICE has not started');
    const isKnown = this.#pairs.some((pair) => pair.generation === generation && isAt(pair, remote));
    if (isKnown) return [];
    const pair: Pair = {
      remote,
      generation,
      sinceMs: nowMs,
      checkedMs: Number.NEGATIVE_INFINITY,
      heardMs: null,
      nominated: false,
    };
    this.#pairs.push(pair);
    if (this.#pairs.length > PAIRS_MAX) this.#pairs = this.#pairs.filter(this.#isUseful).slice(-PAIRS_MAX);
    return this.tick(nowMs);
  }

  /** A STUN message from an address of the server. */
  receive(nowMs: number, bytes: Uint8Array): IceClientOutput[] {
    const message = parseStunMessage(bytes);
    if (message?.class !== 'success') return [];
    const { transactionId } = message;
    if (!transactionId.subarray(0, 8).equals(this.#transactionPrefix)) return [];
    const check = this.#pending.get(transactionId.readUInt32BE(8));
    if (check === undefined || !verifyIntegrity(message, check.pair.generation.remote.pwd)) return [];
    this.#pending.delete(transactionId.readUInt32BE(8));
    check.pair.heardMs = nowMs;
    if (check.nominates) check.pair.nominated = true;
    this.#isExpired = false;
    return [...this.#select(nowMs), ...this.tick(nowMs)];
  }

  /** Any datagram of the server: the path it came by is alive. */
  heard(nowMs: number, address: string, port: number): void {
    const selected = this.#selected;
    if (selected?.remote.port === port && selected.remote.address === address) selected.heardMs = nowMs;
    else {
      const pair = this.#pairs.find((each) => isAt(each, { address, port }));
      if (pair !== undefined && pair.heardMs !== null) pair.heardMs = nowMs;
    }
  }

  /** Checks that are due. Call at {@link dueMs}, and not before. */
  tick(nowMs: number): IceClientOutput[] {
    const outputs: IceClientOutput[] = this.#isSilent(nowMs) ? this.#select(nowMs) : [];
    for (const pair of this.#pairs)
      if (this.#dueMs(pair, nowMs) <= nowMs) outputs.push(this.#check(nowMs, pair));
    const heardMs = Math.max(...this.#pairs.map((pair) => pair.heardMs ?? pair.sinceMs));
    if (!this.#isExpired && nowMs - heardMs > CONSENT_EXPIRED_MS) {
      this.#isExpired = true;
      outputs.push({ kind: 'consentExpired' });
    }
    return outputs;
  }

  /** When to call tick next. */
  dueMs(nowMs: number): number {
    return Math.min(nowMs + CONSENT_INTERVAL_MS, ...this.#pairs.map((pair) => this.#dueMs(pair, nowMs)));
  }

  #dueMs(pair: Pair, nowMs: number): number {
    const soon = pair.checkedMs + CHECK_INTERVAL_MS;
    if (pair.heardMs === null) return nowMs - pair.sinceMs > CHECK_GIVE_UP_MS ? Infinity : soon;
    if (this.#isSilent(nowMs)) return soon;
    if (pair !== this.#selected) return Infinity;
    return pair.nominated ? pair.checkedMs + CONSENT_INTERVAL_MS : soon;
  }

  #isSilent(nowMs: number): boolean {
    const heardMs = this.#selected?.heardMs ?? null;
    return heardMs !== null && nowMs - heardMs > SILENT_MS;
  }

  /** Highest priority first; of equals the newest generation. */
  #select(nowMs: number): IceClientOutput[] {
    let best: Pair | null = null;
    for (const pair of this.#pairs) {
      if (pair.heardMs === null || nowMs - pair.heardMs > SILENT_MS) continue;
      if (best === null || pair.remote.priority >= best.remote.priority) best = pair;
    }
    if (best === null || best === this.#selected) return [];
    this.#selected = best;
    best.nominated = false;
    if (best.generation === this.#generation) this.#pairs = this.#pairs.filter(this.#isUseful);
    return [{ kind: 'selected', remote: best.remote }];
  }

  readonly #isUseful = (pair: Pair): boolean =>
    pair === this.#selected ||
    pair.generation === this.#generation ||
    // Its path serves until the restart has found one.
    this.#selected?.generation !== this.#generation;

  #check(nowMs: number, pair: Pair): IceClientOutput {
    const { local, remote } = pair.generation;
    const nominates = pair === this.#selected;
    const transaction = (this.#transactions = (this.#transactions + 1) % 2 ** 32);
    this.#pending.set(transaction, { pair, nominates });
    for (const old of this.#pending.keys()) {
      if (this.#pending.size <= CHECKS_PENDING_MAX) break;
      this.#pending.delete(old);
    }
    const transactionId = Buffer.alloc(12);
    this.#transactionPrefix.copy(transactionId);
    transactionId.writeUInt32BE(transaction, 8);
    pair.checkedMs = nowMs;
    const bytes = buildBindingRequest({
      transactionId,
      username: `${remote.ufrag}:${local.ufrag}`,
      password: remote.pwd,
      priority: PEER_REFLEXIVE_PRIORITY,
      useCandidate: nominates,
      iceRole: { role: 'controlling', tieBreaker: this.#tieBreaker },
    });
    return { kind: 'send', to: pair.remote, bytes };
  }
}

function isAt(
  { remote }: Pair,
  { address, port }: { readonly address: string; readonly port: number },
): boolean {
  return remote.port === port && remote.address === address;
}
