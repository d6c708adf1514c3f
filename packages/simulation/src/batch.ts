import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FaultKind } from './faults.js';
import { simulateRun } from './scenario.js';
import { addRun, addTotals, emptyTotals, type Totals } from './totals.js';

/** Which seeds to run, until there are enough. */
export interface BatchOptions {
  readonly firstSeed: number;
  /** Seeds are firstSeed, firstSeed + stride, … */
  readonly stride: number;
  readonly runsMax: number;
  /** Stops with the run that reaches it. */
  readonly handoversMax: number;
  readonly stopAtViolation: boolean;
  /** What goes wrong in every run, instead of what its seed draws. */
  readonly faults?: FaultKind;
  readonly print?: (line: string) => void;
}

/** Runs leave much behind that dies young: a larger nursery saves a fifteenth of their time. */
const WORKER_ARGUMENTS = ['--max-semi-space-size=32'];
/** Progress is told about twice a second. */
const PROGRESS_MS = 500;

/** Runs seeds in this process, one after the other, until there are enough or `stop` says so. */
export async function runBatch(
  options: BatchOptions,
  onProgress: (totals: Totals) => void,
  stop?: AbortSignal,
): Promise<Totals> {
  const totals = emptyTotals();
  const startedAt = process.cpuUsage();
  let toldAtMs = performance.now();
  const tell = (): void => {
    const { user, system } = process.cpuUsage(startedAt);
    totals.cpuMs = (user + system) / 1_000;
    onProgress(totals);
  };
  const isEnough = (count: number): boolean =>
    count >= options.runsMax || totals.handovers >= options.handoversMax || stop?.aborted === true;
  for (let count = 0; !isEnough(count); count += 1) {
    const seed = options.firstSeed + count * options.stride;
    const { faults, print } = options;
    const run = await simulateRun({
      seed,
      ...(faults === undefined ? {} : { faults }),
      ...(print === undefined ? {} : { print }),
    });
    addRun(totals, run);
    if (totals.violations > 0 && options.stopAtViolation) break;
    if (performance.now() - toldAtMs < PROGRESS_MS) continue;
    toldAtMs = performance.now();
    tell();
  }
  tell();
  return totals;
}

/** Splits the seeds over worker processes: worker w of n runs every n-th. `stop` ends them with what they have. */
export async function runWorkers(
  workers: number,
  options: Omit<BatchOptions, 'print'>,
  onProgress: (totals: Totals) => void,
  stop: AbortController,
): Promise<Totals> {
  const latest = Array.from({ length: workers }, emptyTotals);
  const sum = (): Totals => {
    const totals = emptyTotals();
    for (const part of latest) addTotals(totals, part);
    return totals;
  };
  const share = (total: number, worker: number): number => Math.ceil((total - worker) / workers);
  await Promise.all(
    latest.map((_, worker) =>
      runWorker(
        {
          ...options,
          firstSeed: options.firstSeed + worker * options.stride,
          stride: options.stride * workers,
          runsMax: share(options.runsMax, worker),
          handoversMax: share(options.handoversMax, worker),
        },
        (totals) => {
          latest[worker] = totals;
          onProgress(sum());
          // What the others run could not make up for it.
          if (options.stopAtViolation && totals.violations > 0) stop.abort();
        },
        stop.signal,
      ),
    ),
  );
  return sum();
}

function runWorker(
  options: BatchOptions,
  onProgress: (totals: Totals) => void,
  stop: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Infinity does not pass JSON.
    const worker = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...WORKER_ARGUMENTS],
    });
    worker.on('message', (totals: Totals) => {
      onProgress(totals);
    });
    stop.addEventListener('abort', () => worker.kill());
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code === 0 || stop.aborted) resolve();
      else reject(new Error(`a worker of the simulation ended with ${code}`));
    });
    worker.send(options);
  });
}
