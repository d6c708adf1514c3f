import { STANDSTILL_MS } from '../limits.js';

/**
 * When this process last began to run again. What others said while it stood still waits in its sockets, so their
 * silence counts from then on only.
 */
export class Standstill {
  #tickedAtMs = Number.POSITIVE_INFINITY;
  #awakeSinceMs = Number.NEGATIVE_INFINITY;

  /** To be asked in every tick. */
  awakeSinceMs(nowMs: number): number {
    if (nowMs - this.#tickedAtMs > STANDSTILL_MS) this.#awakeSinceMs = nowMs;
    this.#tickedAtMs = nowMs;
    return this.#awakeSinceMs;
  }
}
