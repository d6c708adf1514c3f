import { extendSequence, timestampDistance } from '@godwit/rtp';
import { GapSeries, type Gap } from './gap-series.js';

/** Packets told apart from their copies; an SRTP replay window of a browser is as wide. */
const WINDOW_PACKETS = 1_024;
/** Holes that are remembered; more is an outage, and each further packet counts as lost at once. */
const HOLES_MAX = 4_096;
/** Losses whose time is kept. */
const LOSSES_KEPT_MAX = 256;
/** A hole may be filled by a late packet or by repair for so long; then it is a loss. */
const SETTLE_MS = 2_000;

/** What one receiver got of one stream. */
export interface StreamReport {
  readonly ssrc: number;
  /** Each sequence number once. */
  readonly packets: number;
  readonly bytes: number;
  /** Sequence numbers that never came within the settle time. */
  readonly lost: number;
  /** Missing now, and still within the settle time. */
  readonly missing: number;
  /** The same ciphertext again, as on two paths. Harmless. */
  readonly copies: number;
  /** One sequence number with two ciphertexts: the nonce was used twice. Must be 0. */
  readonly reusedNonces: number;
  /** Came behind a later packet. */
  readonly reordered: number;
}

export type Verdict = 'fresh' | 'copy' | 'reusedNonce' | 'old';

/** Counts, holes and gaps of one received SSRC. Works on ciphertext: RTP headers are plain, and a tag names a packet. */
export class ReceivedStream {
  readonly ssrc: number;
  readonly #clockRate: number;
  readonly #gaps = new GapSeries();
  readonly #tags = new Uint32Array(WINDOW_PACKETS);
  readonly #indices = new Float64Array(WINDOW_PACKETS).fill(-1);
  readonly #holes = new Map<number, number>();
  #highest = -1;
  #timestamp = 0;
  #sentMs = 0;
  #packets = 0;
  #bytes = 0;
  #lost = 0;
  readonly #losses: number[] = [];
  #copies = 0;
  #reusedNonces = 0;
  #reordered = 0;

  constructor(ssrc: number, clockRate: number) {
    this.ssrc = ssrc;
    this.#clockRate = clockRate;
  }

  /** What a packet is to this stream; a fresh one still has to be accepted. `tag`: 32 bits of its authentication tag. */
  examine(sequence: number, tag: number): Verdict {
    const index = this.#index(sequence);
    const slot = index % WINDOW_PACKETS;
    if (this.#indices[slot] !== index) return this.#highest - index >= WINDOW_PACKETS ? 'old' : 'fresh';
    if (this.#tags[slot] === tag) {
      this.#copies += 1;
      return 'copy';
    }
    this.#reusedNonces += 1;
    return 'reusedNonce';
  }

  /** Takes a packet that examine found fresh, and that is authentic if the caller checks that. */
  accept(nowMs: number, sequence: number, tag: number, timestamp: number, bytes: number): void {
    const index = this.#index(sequence);
    this.#tags[index % WINDOW_PACKETS] = tag;
    this.#indices[index % WINDOW_PACKETS] = index;
    this.#packets += 1;
    this.#bytes += bytes;
    if (this.#highest !== -1 && index <= this.#highest) {
      this.#reordered += 1;
      this.#holes.delete(index);
      return;
    }
    if (this.#highest !== -1) {
      this.#open(nowMs, this.#highest + 1, index);
      this.#sentMs += (timestampDistance(this.#timestamp, timestamp) * 1_000) / this.#clockRate;
    }
    this.#highest = index;
    this.#timestamp = timestamp;
    this.#gaps.note(nowMs, this.#sentMs);
  }

  /** Worst gap that ended between two times. */
  worstGap(fromMs: number, toMs: number): Gap {
    return this.#gaps.worst(fromMs, toMs);
  }

  report(nowMs: number): StreamReport {
    this.#settle(nowMs);
    return {
      ssrc: this.ssrc,
      packets: this.#packets,
      bytes: this.#bytes,
      lost: this.#lost,
      missing: this.#holes.size,
      copies: this.#copies,
      reusedNonces: this.#reusedNonces,
      reordered: this.#reordered,
    };
  }

  /** When the holes opened that became losses, oldest first: to be laid beside what happened then. */
  get losses(): readonly number[] {
    return this.#losses;
  }

  /** For reception reports: extended highest sequence number, or null before the first packet. */
  get highestSequence(): number | null {
    return this.#highest === -1 ? null : this.#highest;
  }

  /** Sequence numbers that are missing now, newest last: to be asked for. */
  missing(): number[] {
    return Array.from(this.#holes.keys(), (index) => index % 0x10000);
  }

  /** Extended once the stream has begun; the offset keeps a packet before the first one positive. */
  #index(sequence: number): number {
    return this.#highest === -1 ? sequence + 0x10000 : extendSequence(this.#highest, sequence);
  }

  #open(nowMs: number, from: number, to: number): void {
    this.#settle(nowMs);
    for (let index = from; index < to; index++) {
      if (this.#holes.size < HOLES_MAX) this.#holes.set(index, nowMs);
      else this.#lost += 1;
    }
  }

  #settle(nowMs: number): void {
    for (const [index, sinceMs] of this.#holes) {
      // In the order in which they opened.
      if (nowMs - sinceMs <= SETTLE_MS) break;
      this.#holes.delete(index);
      this.#lost += 1;
      if (this.#losses.length < LOSSES_KEPT_MAX) this.#losses.push(sinceMs);
    }
  }
}
