import type { UdpSocket } from '@godwit/datapath-js';
import type { IceCredentials } from '@godwit/protocol';
import { buildBindingRequest, parseStunMessage } from '@godwit/rtp';
import type { ToldAddress } from './client-messages.js';
import { newPair, type IcePair } from './ice-pair.js';
import { randomBytesOf } from './identities.js';
import type { Random } from './random.js';

/** A pair that has never been answered is checked this often, then less and less. */
const CHECK_MS = 50;
/** Consent checks of a pair that works. */
const CONSENT_MS = 700;
/** Well within the 30 s of RFC 7675. */
const QUIET_CONSENT_MS = 10_000;
/** A pair whose checks stay unanswered for this long is of no use now. */
const DEAD_MS = 1_500;
/** Growth of the pause between checks that are not answered. */
const BACKOFF = 1.5;
const BACKOFF_MS_MAX = 2_000;
const PAIRS_MAX = 12;

export interface ClientIceOptions {
  readonly random: Random;
  readonly socket: () => UdpSocket;
  /** Sends media on a pair before its nomination was answered, as Chromium does. */
  readonly isEager: boolean;
}

/** The controlling agent of a client: checks what it is told, nominates the highest priority that answers. */
export class ClientIce {
  local: IceCredentials;
  readonly #options: ClientIceOptions;
  #pairs: IcePair[] = [];
  #selected: IcePair | null = null;
  #generation = 0;
  readonly #transactions = new Map<string, IcePair>();

  constructor(local: IceCredentials, options: ClientIceOptions) {
    this.local = local;
    this.#options = options;
  }

  get selected(): IcePair | null {
    return this.#selected;
  }

  /** True while some pair answers. */
  isAlive(nowMs: number): boolean {
    return this.#pairs.some((pair) => isUsable(pair, nowMs));
  }

  /** As addIceCandidate: an address that is known already is ignored. */
  addAddress(remote: ToldAddress, server: IceCredentials): void {
    const isKnown = this.#pairs.some(
      (pair) =>
        pair.generation === this.#generation &&
        pair.remote.port === remote.port &&
        pair.remote.address === remote.address,
    );
    if (isKnown) return;
    this.#pairs.push(newPair(remote, server, this.local.ufrag, this.#generation));
    this.#pairs.sort((a, b) => b.generation - a.generation || b.remote.priority - a.remote.priority);
    if (this.#pairs.length > PAIRS_MAX) this.#pairs = this.#pairs.slice(0, PAIRS_MAX);
  }

  /** A restart: media stays on the old pair until a new one answers. */
  restart(local: IceCredentials, server: IceCredentials, addresses: readonly ToldAddress[]): void {
    this.local = local;
    this.#generation += 1;
    for (const address of addresses) this.addAddress(address, server);
  }

  tick(nowMs: number, isQuiet: boolean): void {
    const selected = this.#selected;
    if (selected !== null && !isUsable(selected, nowMs)) this.#select(nowMs);
    for (const pair of this.#pairs) {
      if (nowMs < pair.nextCheckMs) continue;
      // Once a pair works, the others are only kept as a way back.
      if (isQuiet && pair !== selected) continue;
      this.#check(nowMs, pair, isQuiet);
    }
  }

  receive(nowMs: number, bytes: Buffer): void {
    const message = parseStunMessage(bytes);
    if (message === null) return;
    const id = message.transactionId.toString('latin1');
    const pair = this.#transactions.get(id);
    if (pair === undefined || message.class !== 'success') return;
    this.#transactions.delete(id);
    const wasNominating = pair.isNominating;
    pair.isAnswered = true;
    pair.unansweredSinceMs = null;
    pair.nextCheckMs = nowMs + CONSENT_MS;
    if (wasNominating && this.#nominationsSent.delete(id)) {
      pair.isNominating = false;
      this.#selected = this.#best(nowMs);
    }
    this.#select(nowMs);
  }

  readonly #nominationsSent = new Set<string>();

  #best(nowMs: number): IcePair | null {
    return this.#pairs.find((pair) => isUsable(pair, nowMs)) ?? null;
  }

  /** The best pair that answers is nominated; media goes there at once, or when the nomination is answered. */
  #select(nowMs: number): void {
    const best = this.#best(nowMs);
    if (best === null || best === this.#selected || best.isNominating) return;
    best.isNominating = true;
    if (this.#options.isEager || this.#selected === null || !isUsable(this.#selected, nowMs))
      this.#selected = best;
    this.#check(nowMs, best, false);
    if (best.generation !== this.#generation) return;
    // A nomination ends the generations before.
    this.#pairs = this.#pairs.filter(({ generation }) => generation === best.generation);
  }

  #check(nowMs: number, pair: IcePair, isQuiet: boolean): void {
    const { random } = this.#options;
    const transactionId = randomBytesOf(random, 12);
    const request = buildBindingRequest({
      transactionId,
      username: `${pair.server.ufrag}:${pair.localUfrag}`,
      password: pair.server.pwd,
      priority: 1,
      iceRole: { role: 'controlling', tieBreaker: 1n },
      useCandidate: pair.isNominating,
    });
    const id = transactionId.toString('latin1');
    this.#transactions.set(id, pair);
    if (pair.isNominating) this.#nominationsSent.add(id);
    if (this.#transactions.size > 64) this.#forgetOldest();
    pair.checksSent += 1;
    const isWaiting = pair.unansweredSinceMs !== null || !pair.isAnswered || pair.isNominating;
    pair.unansweredSinceMs ??= nowMs;
    const pauseMs = isWaiting ? this.#pauseMs(nowMs, pair) : isQuiet ? QUIET_CONSENT_MS : CONSENT_MS;
    pair.nextCheckMs = nowMs + pauseMs;
    this.#options.socket().send(request, pair.remote.port, pair.remote.address);
  }

  #pauseMs(nowMs: number, { unansweredSinceMs }: IcePair): number {
    const waitedMs = nowMs - (unansweredSinceMs ?? nowMs);
    return Math.min(Math.max(CHECK_MS, waitedMs * (BACKOFF - 1)), BACKOFF_MS_MAX);
  }

  #forgetOldest(): void {
    const oldest = this.#transactions.keys().next();
    if (oldest.done === true) return;
    this.#transactions.delete(oldest.value);
    this.#nominationsSent.delete(oldest.value);
  }
}

function isUsable(pair: IcePair, nowMs: number): boolean {
  if (!pair.isAnswered) return false;
  return pair.unansweredSinceMs === null || nowMs - pair.unansweredSinceMs < DEAD_MS;
}
