import type { ControlBenchOptions } from './options.js';
import { CONCURRENT, RECEIVERS } from './operations.js';
import type { OperationResults } from './results.js';
import { DATABASES, SESSIONS_PER_PERSON, type DatabaseName } from './stage.js';

/** What was measured while the databases held so much. */
export interface LevelResults {
  readonly sessions: number;
  readonly people: number;
  readonly operations: readonly OperationResults[];
}

export interface BenchResults {
  readonly fresh: readonly OperationResults[];
  readonly levels: readonly LevelResults[];
}

/** Tables in Markdown. */
export function formatReport({ fresh, levels }: BenchResults, options: ControlBenchOptions): string {
  const { rounds, levelRounds, measureMs } = options;
  return [
    `${CONCURRENT} operations under way at a time; a signal goes to ${RECEIVERS} receivers. Medians of ${rounds} rounds of ${measureMs / 1_000} s, databases in turn.`,
    'Ratios are PostgreSQL to embedded, medians of the rounds: above 1 in "a second" PostgreSQL does more, above 1 in p50 and p99 it takes longer.',
    '',
    ...freshTable(fresh),
    '',
    'CPU meanwhile, in % of one core: control, generator, everything else (with PostgreSQL its server, too).',
    '',
    ...cpuTable(fresh),
    '',
    `With sessions that are there before, one person in every ${SESSIONS_PER_PERSON}th of them; medians of ${levelRounds} rounds.`,
    '',
    ...levelTable(levels),
    '',
  ].join('\n');
}

function freshTable(fresh: readonly OperationResults[]): string[] {
  const head = DATABASES.flatMap((name) => [`${name}: a second`, 'p50, ms', 'p99, ms']);
  return table(
    ['operation', ...head, 'ratio: a second', 'p50', 'p99'],
    fresh.map((results) => [results.operation, ...figures(results), ...ratios(results)]),
  );
}

function cpuTable(fresh: readonly OperationResults[]): string[] {
  const cpu = (results: OperationResults, name: DatabaseName): string =>
    (['controlCpu', 'generatorCpu', 'otherCpu'] as const)
      .map((figure) => (results.median(name, figure) * 100).toFixed(0))
      .join(', ');
  return table(
    ['operation', ...DATABASES],
    fresh.map((results) => [results.operation, ...DATABASES.map((name) => cpu(results, name))]),
  );
}

/** Operation by operation, so that what grows is seen in one column. */
function levelTable(levels: readonly LevelResults[]): string[] {
  const head = DATABASES.flatMap((name) => [`${name}: a second`, 'p50, ms', 'p99, ms']);
  const count = levels[0]?.operations.length ?? 0;
  const rows = Array.from({ length: count }, (_, number) =>
    levels.flatMap(({ sessions, people, operations }) => {
      const results = operations[number];
      if (results === undefined) return [];
      return [[results.operation, whole(sessions), whole(people), ...figures(results), ...ratios(results)]];
    }),
  ).flat();
  return table(['operation', 'sessions', 'people', ...head, 'ratio: a second', 'p50', 'p99'], rows);
}

function figures(results: OperationResults): string[] {
  return DATABASES.flatMap((name) => [
    whole(results.median(name, 'perSecond')),
    results.median(name, 'p50Ms').toFixed(1),
    results.median(name, 'p99Ms').toFixed(1),
  ]);
}

function ratios(results: OperationResults): string[] {
  return (['perSecond', 'p50Ms', 'p99Ms'] as const).map((figure) => results.ratio(figure).toFixed(2));
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)];
}
