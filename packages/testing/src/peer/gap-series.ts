/** Gaps are kept by the time at which they ended, in bins of this length. */
const BIN_MS = 100;
/** A minute: longer than any move and its shams. */
const BINS = 600;

/** The worst that one stream's receiver saw in a stretch of time. */
export interface Gap {
  /** Longest time between two packets, ms. */
  readonly silenceMs: number;
  /** The same, less the time that lies between the two packets at their sender: what the way there added, ms. */
  readonly addedMs: number;
}

/** Gaps between the packets of one stream over the last minute. */
export class GapSeries {
  readonly #silence = new Float32Array(BINS);
  readonly #added = new Float32Array(BINS);
  /** Number of the newest bin; older ones than BINS before it are gone. */
  #newest = -1;
  #lastMs = Number.NaN;
  #lastSentMs = Number.NaN;

  /** A packet that came in order. `sentMs`: its sender's time, of any clock. */
  note(nowMs: number, sentMs: number): void {
    const bin = this.#open(nowMs);
    if (Number.isNaN(this.#lastMs)) this.#silence[bin] = 0;
    else {
      const silenceMs = nowMs - this.#lastMs;
      const addedMs = silenceMs - (sentMs - this.#lastSentMs);
      if (silenceMs > (this.#silence[bin] ?? 0)) this.#silence[bin] = silenceMs;
      if (addedMs > (this.#added[bin] ?? 0)) this.#added[bin] = addedMs;
    }
    this.#lastMs = nowMs;
    this.#lastSentMs = sentMs;
  }

  /** Worst of the gaps that ended between the two times. A silence that lasts until `toMs` counts as silence. */
  worst(fromMs: number, toMs: number): Gap {
    let silenceMs = this.#lastMs < toMs ? Math.max(0, toMs - Math.max(this.#lastMs, fromMs)) : 0;
    let addedMs = 0;
    const first = Math.max(Math.floor(fromMs / BIN_MS), this.#newest - BINS + 1);
    const last = Math.min(Math.floor(toMs / BIN_MS), this.#newest);
    for (let number = first; number <= last; number++) {
      silenceMs = Math.max(silenceMs, this.#silence[number % BINS] ?? 0);
      addedMs = Math.max(addedMs, this.#added[number % BINS] ?? 0);
    }
    return { silenceMs, addedMs };
  }

  /** Index of the bin of this time; those that were skipped are emptied. */
  #open(nowMs: number): number {
    const number = Math.floor(nowMs / BIN_MS);
    if (number > this.#newest) {
      const from = this.#newest === -1 ? number : Math.max(this.#newest + 1, number - BINS + 1);
      for (let each = from; each <= number; each++) {
        this.#silence[each % BINS] = 0;
        this.#added[each % BINS] = 0;
      }
      this.#newest = number;
    }
    return number % BINS;
  }
}
