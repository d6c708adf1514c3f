import {
  MISSING_PACKETS_MAX,
  NACK_AGE_MS_MAX,
  NACK_ATTEMPTS_MAX,
  NACK_REPEAT_GROWTH,
  NACK_REPEAT_MS,
} from './limits.js';

interface Missing {
  readonly sinceMs: number;
  attempts: number;
  nextMs: number;
}

/** Which packets of one stream to ask for, and when. Indices are the publisher's 48-bit ones. */
export class NackRequester {
  readonly #missing = new Map<number, Missing>();

  get size(): number {
    return this.#missing.size;
  }

  /** Returns false when there are too many: everything is dropped, a key frame is the better remedy. */
  add(nowMs: number, fromIndex: number, count: number): boolean {
    if (this.#missing.size + count > MISSING_PACKETS_MAX) {
      this.#missing.clear();
      return false;
    }
    for (let index = fromIndex; index < fromIndex + count; index++) {
      // The first request waits one tick of the caller: simple reordering heals in that time.
      if (!this.#missing.has(index)) this.#missing.set(index, { sinceMs: nowMs, attempts: 0, nextMs: nowMs });
    }
    return true;
  }

  /** Indices to ask for now. `arrived` tells what has come meanwhile. */
  due(nowMs: number, arrived: (index: number) => boolean): number[] {
    const due: number[] = [];
    for (const [index, missing] of this.#missing) {
      if (
        arrived(index) ||
        nowMs - missing.sinceMs > NACK_AGE_MS_MAX ||
        missing.attempts >= NACK_ATTEMPTS_MAX
      ) {
        this.#missing.delete(index);
        continue;
      }
      if (nowMs < missing.nextMs) continue;
      missing.nextMs = nowMs + NACK_REPEAT_MS * NACK_REPEAT_GROWTH ** missing.attempts;
      missing.attempts += 1;
      due.push(index);
    }
    return due;
  }
}
