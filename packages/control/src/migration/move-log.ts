import type { Logger } from 'pino';
import type { Json, MoveRecord, RosterStorage } from '@godwit/storage';

export interface Progress {
  readonly moved: number;
  readonly total: number;
}

/**
 * Writes the history of moves behind them: what nobody decides by need not hold them up. One write is under way at a
 * time, and everything noted meanwhile goes with the next, so a drain of many costs few statements.
 */
export class MoveLog {
  readonly #storage: RosterStorage;
  readonly #log: Logger;
  #moves = new Map<string, MoveRecord>();
  #progress = new Map<string, Progress>();
  #writing: Promise<void> | null = null;

  constructor(storage: RosterStorage, log: Logger) {
    this.#storage = storage;
    this.#log = log;
  }

  /** The move as it stands now; later words about it replace earlier ones. */
  note(move: MoveRecord): void {
    this.#moves.set(move.moveId, move);
    this.#write();
  }

  progress(migrationId: string, progress: Progress): void {
    this.#progress.set(migrationId, progress);
    this.#write();
  }

  /** Resolves when everything noted before is written, or could not be. */
  async written(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** What the client measured; false when the move is not its own or has a report already. */
  async saveGap(moveId: string, connectionId: string, gap: Json): Promise<boolean> {
    await this.written();
    return this.#storage.moves.saveGap(moveId, connectionId, gap);
  }

  #write(): void {
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // In a turn of its own, so that what is noted in the same turn goes together.
    await Promise.resolve();
    while (this.#moves.size + this.#progress.size > 0) {
      const moves = [...this.#moves.values()];
      const progress = [...this.#progress];
      this.#moves = new Map();
      this.#progress = new Map();
      try {
        if (moves.length > 0) await this.#storage.moves.save(moves);
        for (const [migrationId, each] of progress)
          await this.#storage.migrations.progress(migrationId, each);
      } catch (error) {
        this.#log.error(
          { error: String(error), moves: moves.length },
          'the history of moves was not written',
        );
      }
    }
    // In the turn of the last look: what is noted after it begins another write.
    this.#writing = null;
  }
}
