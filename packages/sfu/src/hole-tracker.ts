import { HOLE_PATIENCE_MS, HOLES_MAX } from './limits.js';

/**
 * Packets of one stream that others have overtaken. A subscriber that moves at such an instant could never get them:
 * its new owner may not use the indices that the former one has passed.
 */
export class HoleTracker {
  readonly #sinceMs = new Map<number, number>();

  add(nowMs: number, fromIndex: number, count: number): void {
    for (let index = fromIndex; index < fromIndex + count && this.#sinceMs.size < HOLES_MAX; index++) {
      this.#sinceMs.set(index, nowMs);
    }
  }

  /** True when nothing is missing that may still come. */
  isWhole(nowMs: number, arrived: (index: number) => boolean): boolean {
    for (const [index, sinceMs] of this.#sinceMs) {
      if (arrived(index) || nowMs - sinceMs > HOLE_PATIENCE_MS) this.#sinceMs.delete(index);
    }
    return this.#sinceMs.size === 0;
  }
}
