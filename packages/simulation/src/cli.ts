import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { runBatch, runWorkers } from './batch.js';
import { FAULT_KINDS, type FaultKind } from './faults.js';
import { describeFailure, markdown, summary, type ReportFacts } from './report.js';
import type { Totals } from './totals.js';

const USAGE = `Simulates handovers under faults. One seed decides everything that happens in its run.

  --seed N        first seed (default 1)
  --runs N        runs, one seed each
  --handovers N   instead of --runs: until so many moves were granted
  --workers N     processes (default 1)
  --faults KIND   the same faults in every run (default: each seed draws its own)
  --trace         prints what happens in each run (one process)
  --brief         prints only the seeds that fail, and why in one word
  --keep-going    does not stop at the first violation
  --report FILE   writes the report as Markdown

Ctrl-C ends it with what has run, and its report.
`;
const DEFAULT_RUNS = 200;
const BAR_CHARS = 30;

const out = (text: string): void => {
  process.stdout.write(text);
};

function numberOf(text: string | undefined, name: string, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`godwit: --${name} takes a whole number.\n\n${USAGE}`);
  process.exit(1);
}

function faultsOf(text: string | undefined): FaultKind | undefined {
  const kind = FAULT_KINDS.find((known) => known === text);
  if (kind !== undefined || text === undefined) return kind;
  process.stderr.write(`godwit: --faults takes one of ${FAULT_KINDS.join(', ')}.\n`);
  process.exit(1);
}

function readArguments(): ReturnType<typeof parse>['values'] {
  try {
    return parse().values;
  } catch (error) {
    process.stderr.write(`godwit: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(1);
  }
}

function parse() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  return parseArgs({
    options: {
      seed: text,
      runs: text,
      handovers: text,
      workers: text,
      report: text,
      faults: text,
      trace: flag,
      brief: flag,
      'keep-going': flag,
      help: flag,
    },
  });
}

function showProgress(totals: Totals, goal: { runs: number; handovers: number }, startedAtMs: number): void {
  if (!process.stdout.isTTY) return;
  const share = Math.min(1, Math.max(totals.runs / goal.runs, totals.handovers / goal.handovers));
  const filled = Math.round(share * BAR_CHARS);
  const rate = totals.handovers / ((performance.now() - startedAtMs) / 1_000);
  const bar = '#'.repeat(filled).padEnd(BAR_CHARS, '.');
  out(`\r[${bar}] ${totals.handovers} handovers, ${rate.toFixed(0)}/s, ${totals.violations} violations `);
}

async function main(): Promise<number> {
  const options = readArguments();
  if (options.help) {
    out(USAGE);
    return 0;
  }
  const firstSeed = numberOf(options.seed, 'seed', 1);
  const handoversMax = numberOf(options.handovers, 'handovers', Number.POSITIVE_INFINITY);
  const isByHandovers = options.handovers !== undefined;
  const runsMax = numberOf(options.runs, 'runs', isByHandovers ? Number.POSITIVE_INFINITY : DEFAULT_RUNS);
  const workers = options.trace ? 1 : Math.max(1, numberOf(options.workers, 'workers', 1));
  const faults = faultsOf(options.faults);
  const batch = {
    firstSeed,
    stride: 1,
    runsMax,
    handoversMax,
    stopAtViolation: !options['keep-going'],
    ...(faults === undefined ? {} : { faults }),
  };
  const startedAtMs = performance.now();
  const told = new Set<number>();
  const onProgress = (totals: Totals): void => {
    for (const failure of totals.failures) {
      if (told.has(failure.seed)) continue;
      told.add(failure.seed);
      out(
        options.brief
          ? `${failure.seed} ${failure.invariant}\n`
          : `\n${describeFailure(failure).join('\n')}\n`,
      );
    }
    showProgress(totals, { runs: runsMax, handovers: handoversMax }, startedAtMs);
  };
  const stop = new AbortController();
  // What has run is worth its report.
  process.once('SIGINT', () => {
    stop.abort();
  });
  const totals =
    workers === 1
      ? await runBatch(
          { ...batch, ...(options.trace ? { print: (line) => out(`${line}\n`) } : {}) },
          onProgress,
          stop.signal,
        )
      : await runWorkers(workers, batch, onProgress, stop);
  const facts: ReportFacts = {
    totals,
    firstSeed,
    workers,
    elapsedMs: performance.now() - startedAtMs,
    date: new Date().toISOString().slice(0, 10),
    command: `npm run simulate:handover -- ${process.argv.slice(2).join(' ')}`,
    machine: `${cpus().length} cores, Node ${process.versions.node}`,
  };
  if (options.brief) return totals.violations === 0 ? 0 : 1;
  if (process.stdout.isTTY) out('\n');
  for (const line of summary(facts)) out(`${line}\n`);
  if (options.report !== undefined) writeFileSync(options.report, markdown(facts));
  return totals.violations === 0 ? 0 : 1;
}

process.exitCode = await main();
