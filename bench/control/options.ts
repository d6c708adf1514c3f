import { parseArgs } from 'node:util';

/** How long everything is measured. */
export interface ControlBenchOptions {
  /** Times that each operation is measured on each database; the report takes medians. */
  readonly rounds: number;
  /** One measurement of one operation, ms. */
  readonly measureMs: number;
  /** Sessions that the database holds when the later measurements begin. */
  readonly levels: readonly number[];
  /** Rounds at each of these levels. */
  readonly levelRounds: number;
  /** Where the report is written besides the standard output. */
  readonly report: string | undefined;
}

const FULL = { rounds: 5, measureMs: 1_500, levels: [100, 1_000, 10_000], levelRounds: 3 };
/** Under a minute where little else runs: to see that the bench works, and whether a change costs much. */
const SHORT = { rounds: 2, measureMs: 200, levels: [100, 500], levelRounds: 1 };

/** Reads the command line. Throws on what it does not know. */
export function readOptions(args: readonly string[]): ControlBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { short: { type: 'boolean', default: false }, report: { type: 'string' } },
  });
  return { ...(values.short ? SHORT : FULL), report: values.report };
}
