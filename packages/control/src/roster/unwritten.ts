import type { Logger } from 'pino';
import { StorageError } from '@godwit/storage';
import { UNWRITTEN_CHANGES_MAX } from '../limits.js';

interface Change {
  readonly what: string;
  readonly write: () => Promise<void>;
}

/**
 * Changes of the roster that have happened, whether the database is there or not: somebody left, a stream ended. What could
 * not be written is written, in order, once the database is back. Every `write` must be harmless when it is repeated: it may
 * have been carried out although no answer came.
 */
export class UnwrittenChanges {
  readonly #log: Logger;
  readonly #changes: Change[] = [];
  /** The round under way. */
  #writing: Promise<void> | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  get size(): number {
    return this.#changes.length;
  }

  /** Writes it now, or keeps it for later when the database is away. Rejects with any other error. */
  async write(what: string, write: () => Promise<void>): Promise<void> {
    // What waits goes first.
    if (this.#changes.length > 0) return this.#keep({ what, write });
    try {
      await write();
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      this.#keep({ what, write });
    }
  }

  /** Tries what waits; call every TICK_INTERVAL_MS. */
  tick(): void {
    if (this.#changes.length > 0) void this.#round();
  }

  /** Tries once more, for a control that ends: when the round under way, if there is one, has come to its end. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#changes.length > 0) await this.#round();
  }

  #round(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null));
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const count = this.#changes.length;
    for (;;) {
      const [next] = this.#changes;
      if (next === undefined) break;
      try {
        await next.write();
      } catch (error) {
        if (isDatabaseAway(error)) return;
        this.#log.error({ what: next.what, error: String(error) }, 'a change could not be written');
      }
      this.#changes.shift();
    }
    this.#log.info({ count }, 'wrote what had happened while the database was away');
  }

  #keep(change: Change): void {
    if (this.#changes.length === 0)
      this.#log.warn({ what: change.what }, 'the database is away; calls go on');
    if (this.#changes.length >= UNWRITTEN_CHANGES_MAX) {
      // Its row stays as it was: the next control finds nobody there and ends it.
      this.#log.error({ what: change.what }, 'too many changes wait for the database');
      return;
    }
    this.#changes.push(change);
  }
}

/** The database did not answer, or not in time; the same may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  return error instanceof StorageError && error.retryable;
}
