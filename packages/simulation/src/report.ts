import type { Failure, Totals } from './totals.js';

export interface ReportFacts {
  readonly totals: Totals;
  readonly firstSeed: number;
  readonly workers: number;
  readonly elapsedMs: number;
  /** ISO date of the run. */
  readonly date: string;
  readonly command: string;
  readonly machine: string;
}

const decimal = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const whole = (value: number): string => decimal(value, 0);

/** The few lines that a terminal gets at the end. */
export function summary({ totals, elapsedMs, firstSeed }: ReportFacts): string[] {
  const { runs, handovers, violations, cpuMs, encryptions, virtualMs } = totals;
  const rate = handovers / (elapsedMs / 1_000);
  return [
    `${whole(handovers)} handovers in ${whole(runs)} runs (seeds from ${firstSeed}), ${decimal(virtualMs / 3_600_000, 1)} simulated hours`,
    `${decimal(elapsedMs / 1_000, 1)} s, ${whole(rate)} handovers a second, ${decimal(cpuMs / Math.max(1, handovers), 2)} ms of processor time each`,
    `${whole(encryptions)} encryptions audited, ${whole(violations)} violations`,
  ];
}

/** How to see a failure again, and what happened before it. */
export function describeFailure({ seed, faults, message, lastLines }: Failure): string[] {
  return [
    `seed ${seed} (${faults}) violates ${message}`,
    ...lastLines.slice(-20).map((line) => `  ${line}`),
    `  replay: npm run simulate:handover -- --seed ${seed} --runs 1 --trace`,
  ];
}

/** The report as a page of the documentation. */
export function markdown(facts: ReportFacts): string {
  const { totals, date, command, machine, workers } = facts;
  const outcomes = [
    ...new Set(Object.values(totals.byFaults).flatMap((kind) => Object.keys(kind.outcomes))),
  ].toSorted();
  const rows = Object.entries(totals.byFaults)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, { runs, handovers, outcomes: counts }]) =>
      row([name, whole(runs), whole(handovers), ...outcomes.map((outcome) => whole(counts[outcome] ?? 0))]),
    );
  const header = ['faults', 'runs', 'handovers', ...outcomes];
  return [
    '# Simulated handovers',
    '',
    `${date}, \`${command}\`, ${machine}, ${workers} worker ${workers === 1 ? 'process' : 'processes'}.`,
    '',
    ...summary(facts).map((line) => `- ${line}`),
    '',
    'How moves ended, by what went wrong in their run. A handover is a move that control granted; a move that was refused before that counts',
    'among the outcomes only.',
    '',
    row(header),
    row(header.map((_, at) => (at === 0 ? '---' : '--:'))),
    ...rows,
    '',
    ...(totals.failures.length === 0
      ? ['No invariant was broken.']
      : ['## Broken invariants', '', '```', ...totals.failures.flatMap(describeFailure), '```']),
    '',
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
