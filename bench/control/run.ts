import { writeFile } from 'node:fs/promises';
import { clockMs } from '@godwit/testing';
import { CpuMeter } from '../load/cpu-meter.js';
import type { LoopBounds } from './closed-loop.js';
import { CONCURRENT, measure, OPERATIONS, type Operation } from './operations.js';
import { readOptions, type ControlBenchOptions } from './options.js';
import { formatReport, type LevelResults } from './report.js';
import { OperationResults, type Result } from './results.js';
import { DATABASES, Stage } from './stage.js';

// Control as operators run it, once over the embedded database and once over PostgreSQL, asked by one generator.

/** Between two measurements, so that what the one leaves to be written does not disturb the other. */
const PAUSE_MS = 250;
/** Sessions that joins and signals use on fresh databases. */
const FRESH_SESSIONS = 2 * CONCURRENT;
/**
 * What may change with the number of sessions, creations last: they add some. Token checks do not ask the database; where
 * they change between levels, it is the machine that was busier.
 */
const LEVEL_OPERATIONS: readonly Operation[] = ['joins', 'signals', 'creations', 'token checks'];
/** Sessions that one measurement adds at most, so that a level stays about what it is called. */
const LEVEL_CREATIONS_MAX = 200;

/** Starts both platforms for `work`, and stops them whatever happens. */
async function onStages<T>(work: (stages: readonly Stage[]) => Promise<T>): Promise<T> {
  progress(`starting control twice, over ${DATABASES.join(' and ')}`);
  const starts = await Promise.allSettled(DATABASES.map((name) => Stage.start(name)));
  const stages = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  try {
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
    return await work(stages);
  } finally {
    await Promise.all(stages.map((stage) => stage.stop()));
  }
}

/** One operation on each stage in turn. Whoever goes first may find a quieter machine: the order changes. */
async function measureRound(
  stages: readonly Stage[],
  results: OperationResults,
  { round, bounds }: { readonly round: number; readonly bounds: LoopBounds },
): Promise<void> {
  for (const stage of round % 2 === 0 ? stages : stages.toReversed()) {
    const result = await measureWithCpu(stage, results.operation, bounds);
    results.add(stage.name, result);
    const { perSecond, p50Ms, p99Ms } = result;
    const figures = `${perSecond.toFixed(0)} a second, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
    progress(`round ${round + 1}  ${results.operation.padEnd(12)}  ${stage.name.padEnd(10)}  ${figures}`);
    await pause();
  }
}

async function measureWithCpu(stage: Stage, operation: Operation, bounds: LoopBounds): Promise<Result> {
  const cpu = new CpuMeter(clockMs, { control: stage.platform.control.pid ?? 0, generator: process.pid });
  const startMs = clockMs();
  const measurement = await measure(operation, stage, bounds);
  const { control = NaN, generator = NaN, others = NaN } = cpu.shares(startMs, clockMs());
  cpu.stop();
  await stage.settled();
  return { ...measurement, controlCpu: control, generatorCpu: generator, otherCpu: others };
}

/** A process that has just started is slow for reasons of its own. */
async function warmUp(
  stages: readonly Stage[],
  operations: readonly Operation[],
  measureMs: number,
): Promise<void> {
  progress('warming up');
  for (const operation of operations) {
    for (const stage of stages) {
      const countMax = LEVEL_CREATIONS_MAX;
      await measure(operation, stage, { durationMs: measureMs / 2, countMax });
      await stage.settled();
    }
  }
}

async function benchFresh(
  stages: readonly Stage[],
  { rounds, measureMs }: ControlBenchOptions,
): Promise<OperationResults[]> {
  for (const stage of stages) await stage.fill(FRESH_SESSIONS);
  const all = OPERATIONS.map((operation) => new OperationResults(operation));
  await warmUp(stages, OPERATIONS, measureMs);
  for (let round = 0; round < rounds; round++) {
    for (const results of all)
      await measureRound(stages, results, { round, bounds: { durationMs: measureMs } });
  }
  return all;
}

async function benchLevels(
  stages: readonly Stage[],
  { levels, levelRounds, measureMs }: ControlBenchOptions,
): Promise<LevelResults[]> {
  const all: LevelResults[] = [];
  for (const stage of stages) await stage.fill(FRESH_SESSIONS);
  await warmUp(stages, ['joins', 'signals'], measureMs);
  for (const level of levels) {
    progress(`filling both databases up to ${level} sessions`);
    await Promise.all(stages.map((stage) => stage.fill(level)));
    const [{ sessions = 0, people = 0 } = {}] = stages;
    const operations = LEVEL_OPERATIONS.map((operation) => new OperationResults(operation));
    for (const results of operations) {
      const bounds = {
        durationMs: measureMs,
        ...(results.operation === 'creations' ? { countMax: LEVEL_CREATIONS_MAX } : {}),
      };
      await pause();
      for (let round = 0; round < levelRounds; round++)
        await measureRound(stages, results, { round, bounds });
    }
    all.push({ sessions, people, operations });
  }
  return all;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

const startedMs = clockMs();

function progress(text: string): void {
  process.stderr.write(`${((clockMs() - startedMs) / 1_000).toFixed(0).padStart(4)} s  ${text}\n`);
}

async function main(options: ControlBenchOptions): Promise<void> {
  const fresh = await onStages((stages) => benchFresh(stages, options));
  const levels = await onStages((stages) => benchLevels(stages, options));
  const report = formatReport({ fresh, levels }, options);
  process.stdout.write(report);
  if (options.report !== undefined) await writeFile(options.report, report);
}

await main(readOptions(process.argv.slice(2)));
process.exit(0);
