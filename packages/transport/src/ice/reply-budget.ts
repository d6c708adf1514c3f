const WINDOW_MS = 1_000;

/** At most `limit` replies in each second. */
export class ReplyBudget {
  readonly #limit: number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #spent = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when this second's replies are spent. */
  take(nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#spent = 0;
    }
    if (this.#spent >= this.#limit) return false;
    this.#spent += 1;
    return true;
  }
}
