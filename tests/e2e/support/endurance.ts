import { existsSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { migrate, sleep, totals, type Scene } from './scene.js';

/** What was counted in the pages between two moments, summed over all of them. */
export interface Window {
  readonly kind: 'moving' | 'still';
  readonly seconds: number;
  readonly lost: number;
  readonly lostAudio: number;
  readonly freezes: number;
  readonly plis: number;
  /** Beyond the encoders' periodic ones. */
  readonly keyFrames: number;
  readonly concealed: number;
  /** Largest time between two presented frames. */
  readonly gapMs: number;
  /** Share of the time in which something that could run had to wait for a core (Linux PSI). */
  readonly cpuPressure: number;
  /** Longest time by which the timer of an idle process came too late: this test's own. */
  readonly stallMs: number;
}

/** Counts what the pages see while `work` runs. */
export async function watch(
  { pages }: Scene,
  kind: Window['kind'],
  work: () => Promise<unknown>,
): Promise<Window> {
  const before = await totals(pages);
  await Promise.all(pages.map(({ page }) => page.evaluate(() => window.call.forget())));
  const stalls = monitorEventLoopDelay({ resolution: STALL_RESOLUTION_MS });
  const startedAtMs = Date.now();
  const waitedBefore = waitedForCpuMs();
  stalls.enable();
  await work();
  stalls.disable();
  const endedAtMs = Date.now();
  const cpuPressure = (waitedForCpuMs() - waitedBefore) / (endedAtMs - startedAtMs);
  const gaps = await Promise.all(
    pages.map(({ page }) => page.evaluate(() => Object.values(window.call.frameGaps(0, Infinity)))),
  );
  const after = await totals(pages);
  const grown = (key: string): number => (after[key] ?? 0) - (before[key] ?? 0);
  return {
    kind,
    seconds: (endedAtMs - startedAtMs) / 1_000,
    lost: grown('audio.packetsLost') + grown('video.packetsLost'),
    lostAudio: grown('audio.packetsLost'),
    freezes: grown('video.freezeCount'),
    plis: grown('video.pliCount') + grown('sent.pliCount'),
    keyFrames: Math.max(0, grown('video.keyFramesDecoded') - grown('periodicKeyFrames') * (pages.length - 1)),
    concealed: grown('audio.concealedSamples'),
    gapMs: Math.max(0, ...gaps.flat()),
    cpuPressure,
    stallMs: stalls.max / 1e6 - STALL_RESOLUTION_MS,
  };
}

const STALL_RESOLUTION_MS = 5;

/** Since the machine started; NaN where the kernel does not tell. */
function waitedForCpuMs(): number {
  if (!existsSync('/proc/pressure/cpu')) return Number.NaN;
  const total = /some .*total=(\d+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1];
  return Number(total) / 1_000;
}

export interface MovesDone {
  readonly durationsMs: readonly number[];
  /** Moves of single transports that did not complete, with their reasons. */
  readonly failures: readonly string[];
  /** Time from the freeze to the acceptance, of each transport. */
  readonly transfersMs: readonly number[];
}

/** Moves the session to and fro, one move after the other. */
export async function moveOften(
  scene: Scene,
  count: number,
  afterEach: () => Promise<void>,
): Promise<MovesDone> {
  const durationsMs: number[] = [];
  const transfersMs: number[] = [];
  const failures: string[] = [];
  for (let number = 0; number < count; number++) {
    const migration = await migrate(scene);
    durationsMs.push((migration.endedAt ?? NaN) - migration.createdAt);
    for (const { outcome, failure, measures } of migration.connections ?? []) {
      if (outcome !== 'completed') failures.push(`${outcome}: ${failure ?? 'no reason'}`);
      if (measures?.transferMs !== undefined) transfersMs.push(measures.transferMs);
    }
    await afterEach();
  }
  return { durationsMs, failures, transfersMs };
}

/** The current ICE user fragments of the pages. */
export async function iceFragments({ pages }: Scene): Promise<string[]> {
  return Promise.all(pages.map(({ page }) => page.evaluate(() => window.census.iceFragment())));
}

/** A window in which nobody moves. */
export function stay(scene: Scene, ms: number): Promise<Window> {
  return watch(scene, 'still', () => sleep(ms));
}
