import type { RunResult } from './scenario.js';

/** A run whose invariant broke. */
export interface Failure {
  readonly seed: number;
  readonly faults: string;
  readonly invariant: string;
  readonly message: string;
  readonly lastLines: readonly string[];
}

/** Failures kept: one is enough to work with. */
const FAILURES_MAX = 20;

/** The sum of many runs. */
export interface Totals {
  runs: number;
  handovers: number;
  events: number;
  encryptions: number;
  virtualMs: number;
  /** Milliseconds of processor time. */
  cpuMs: number;
  violations: number;
  readonly failures: Failure[];
  /** By kind of fault: runs, handovers and how moves ended. */
  readonly byFaults: Record<string, { runs: number; handovers: number; outcomes: Record<string, number> }>;
}

export function emptyTotals(): Totals {
  return {
    runs: 0,
    handovers: 0,
    events: 0,
    encryptions: 0,
    virtualMs: 0,
    cpuMs: 0,
    violations: 0,
    failures: [],
    byFaults: {},
  };
}

export function addRun(totals: Totals, run: RunResult): void {
  totals.runs += 1;
  totals.handovers += run.handovers;
  totals.events += run.events;
  totals.encryptions += run.encryptions;
  totals.virtualMs += run.virtualMs;
  const kind = (totals.byFaults[run.faults] ??= { runs: 0, handovers: 0, outcomes: {} });
  kind.runs += 1;
  kind.handovers += run.handovers;
  for (const [outcome, count] of Object.entries(run.outcomes)) {
    kind.outcomes[outcome] = (kind.outcomes[outcome] ?? 0) + count;
  }
  if (run.violation === null) return;
  totals.violations += 1;
  if (totals.failures.length >= FAILURES_MAX) return;
  const { seed, faults, lastLines } = run;
  totals.failures.push({ seed, faults, ...run.violation, lastLines });
}

/** Adds what another process has summed. */
export function addTotals(totals: Totals, other: Totals): void {
  for (const field of [
    'runs',
    'handovers',
    'events',
    'encryptions',
    'virtualMs',
    'cpuMs',
    'violations',
  ] as const) {
    totals[field] += other[field];
  }
  totals.failures.push(...other.failures.slice(0, FAILURES_MAX - totals.failures.length));
  for (const [name, { runs, handovers, outcomes }] of Object.entries(other.byFaults)) {
    const kind = (totals.byFaults[name] ??= { runs: 0, handovers: 0, outcomes: {} });
    kind.runs += runs;
    kind.handovers += handovers;
    for (const [outcome, count] of Object.entries(outcomes)) {
      kind.outcomes[outcome] = (kind.outcomes[outcome] ?? 0) + count;
    }
  }
}
