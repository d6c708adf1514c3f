import type { Measurement } from './closed-loop.js';
import type { Operation } from './operations.js';
import { DATABASES, type DatabaseName } from './stage.js';

/** One measurement, and what it took. */
export interface Result extends Measurement {
  /** Shares of one core. */
  readonly controlCpu: number;
  readonly generatorCpu: number;
  /** Everything else on the machine; with PostgreSQL its server, too. */
  readonly otherCpu: number;
}

type Figure = keyof Result;

/** Rounds of one operation on both databases. */
export class OperationResults {
  readonly operation: Operation;
  readonly #rounds: Record<DatabaseName, Result[]> = { embedded: [], PostgreSQL: [] };

  constructor(operation: Operation) {
    this.operation = operation;
  }

  add(database: DatabaseName, result: Result): void {
    this.#rounds[database].push(result);
  }

  /** Median of the rounds. */
  median(database: DatabaseName, figure: Figure): number {
    return median(this.#rounds[database].map((result) => result[figure]));
  }

  /** PostgreSQL to embedded, round by round, so that a busier round counts for both; then the median. */
  ratio(figure: Figure): number {
    const [embedded, postgres] = DATABASES.map((database) => this.#rounds[database]);
    return median(
      (postgres ?? []).map((result, round) => result[figure] / (embedded?.[round]?.[figure] ?? NaN)),
    );
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
