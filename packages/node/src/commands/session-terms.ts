import type { SessionTerm } from '@godwit/protocol';
import { SESSION_TERMS_MAX } from '../limits.js';

/**
 * The latest term of each session that a control has spoken for here. A control that was taken for dead, and does not know it
 * yet, is refused by it, whatever the clocks say.
 */
export class SessionTerms {
  readonly #latest = new Map<string, number>();

  /** False for a term that is over. */
  accept({ sessionId, term }: SessionTerm): boolean {
    const latest = this.#latest.get(sessionId) ?? 0;
    if (term < latest) return false;
    // The least recently spoken for is the first to be forgotten.
    this.#latest.delete(sessionId);
    this.#latest.set(sessionId, term);
    if (this.#latest.size > SESSION_TERMS_MAX) {
      const [oldest] = this.#latest.keys();
      if (oldest !== undefined) this.#latest.delete(oldest);
    }
    return true;
  }
}
