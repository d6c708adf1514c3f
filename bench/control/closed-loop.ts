import { clockMs } from '@godwit/testing';
import { distributionOf } from '../load/statistics.js';

/** What one measurement of one operation has shown. */
export interface Measurement {
  readonly count: number;
  readonly perSecond: number;
  /** Latency of one operation, ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoopBounds {
  readonly durationMs: number;
  /** Ends sooner when so many are done. */
  readonly countMax?: number;
  /** What the operations leave to be done belongs to the time, too. */
  readonly settled?: () => Promise<void>;
}

/**
 * Runs workers that each do one operation after the other. A worker's operation answers its latency in ms, which may be
 * a part of what it does: the rate is of whole operations. Rejects with the first that fails.
 */
export async function closedLoop(
  workers: readonly (() => Promise<number>)[],
  { durationMs, countMax = Infinity, settled }: LoopBounds,
): Promise<Measurement> {
  const latencies: number[] = [];
  const startMs = clockMs();
  let begun = 0;
  const run = async (operation: () => Promise<number>): Promise<void> => {
    while (begun < countMax && clockMs() - startMs < durationMs) {
      begun += 1;
      latencies.push(await operation());
    }
  };
  await Promise.all(workers.map(run));
  await settled?.();
  const seconds = (clockMs() - startMs) / 1_000;
  const { p50, p99, count } = distributionOf(latencies);
  return { count, perSecond: count / seconds, p50Ms: p50, p99Ms: p99 };
}

/** How long `work` takes, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = clockMs();
  await work();
  return clockMs() - startMs;
}
