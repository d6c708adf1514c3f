import { UPKEEP_AFTER_WRITES } from '../limits.js';
import type { PGliteSession } from './session.js';

/** VACUUM gives the room of former rows back, CHECKPOINT that of the log. Neither may run inside a transaction. */
const STATEMENTS = ['vacuum', 'checkpoint'] as const;

/**
 * What PostgreSQL's own background processes do and PGlite, which has none, does not: without it every update leaves its
 * former row, and the log keeps every page that was ever written.
 */
export class Upkeep {
  #writes = 0;

  wrote(): void {
    this.#writes += 1;
  }

  /** To be called when nobody is in a transaction. Never rejects: what fails is tried again after as many writes. */
  async runIfDue(session: PGliteSession): Promise<void> {
    if (this.#writes < UPKEEP_AFTER_WRITES) return;
    this.#writes = 0;
    try {
      for (const statement of STATEMENTS) await session.query(statement, []);
    } catch {
      // A database that cannot be written to says so to those who write.
    }
  }
}
