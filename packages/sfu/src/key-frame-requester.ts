import { KEY_FRAME_REQUEST_INTERVAL_MS } from './limits.js';

/** Merges the key-frame wishes of all subscribers of one encoding. */
export class KeyFrameRequester {
  #lastMs = Number.NEGATIVE_INFINITY;
  #wanted = false;

  want(): void {
    this.#wanted = true;
  }

  /** True when a request should leave now. A wish inside the interval is kept, not lost. */
  due(nowMs: number): boolean {
    if (!this.#wanted || nowMs - this.#lastMs < KEY_FRAME_REQUEST_INTERVAL_MS) return false;
    this.#wanted = false;
    this.#lastMs = nowMs;
    return true;
  }
}
