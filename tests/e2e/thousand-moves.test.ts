import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { launchChromium, median } from '@godwit/testing';
import { apiThrough, openCallPage } from './support/call.js';
import { iceFragments, moveOften, stay, watch, type MovesDone, type Window } from './support/endurance.js';
import { openScene, sleep, videosPlaying, type Scene } from './support/scene.js';
import { trendCharts, trendsOf, trendTable, type Sample } from './support/trends.js';
import { VitalSigns } from './support/vitals.js';

/** `npm run proof:thousand-moves` does 1,000. */
const MOVES = Number(process.env['GODWIT_E2E_MOVES'] ?? 24);
const MOVES_PER_SAMPLE = Math.max(12, Math.round(MOVES / 40));
/** Half of the samples make the trend: fewer tell nothing. */
const SAMPLES_FOR_A_TREND = 20;
/** Nodes remember a move for 30 s; browsers keep a pair that answers no more for about as long. */
const REST_MS = 36_000;
/** After each series of moves, as a measure of what this machine does by itself; a short run measures nothing. */
const STILL_MS = MOVES >= 100 ? 4_000 : 1_000;
const PROBE = new URL('./support/process-probe.mjs', import.meta.url).pathname;
const CENSUS = readFileSync(new URL('./support/page-census.js', import.meta.url), 'utf8');
const CHARTED = /\.(residentMiB|heapMiB|databaseMiB|descriptors|timers|candidatePairs|held.moves_as_target)$/;
const RESULTS = new URL('../../test-results/thousand-moves/', import.meta.url).pathname;

interface Run {
  readonly samples: Sample[];
  readonly windows: Window[];
  readonly moves: MovesDone[];
  readonly fragments: Set<string>;
  /** After a rest: what is left when nothing has moved for a while. */
  readonly rested: Record<string, number>;
  /** What the nodes dropped in windows of that kind, by counter. */
  readonly dropped: Record<Window['kind'], Record<string, number>>;
}

/** The same while it is being filled. */
type Measuring = { -readonly [Key in keyof Run]: Run[Key] };

describe('a call that moves on and on', () => {
  it(
    `leaves nothing behind in nodes, control and pages in ${MOVES} moves`,
    { timeout: 120_000 + MOVES * 4_000 },
    async () => {
      const probes = mkdtempSync(join(tmpdir(), 'godwit-probes-'));
      const probe = { GODWIT_TEST_PROBES: probes, NODE_OPTIONS: `--import=${PROBE}` };
      const scene = await openScene({
        clients: 2,
        platform: { env: probe, nodeEnv: probe },
        firstScript: CENSUS,
      });
      const operatorBrowser = await launchChromium({ prefix: scene.network.prefix });
      try {
        const run = await moveAndMeasure(scene, probes, operatorBrowser);
        const trends = trendsOf(run.samples);
        process.stdout.write(`\n${save(run)}\n`);
        expect(run.moves.flatMap(({ failures }) => failures)).toEqual([]);
        expect(await Promise.all(scene.pages.map((page) => videosPlaying(page)))).toEqual([1, 1]);
        for (const { vitals } of run.samples) expectTidy(vitals, run.samples[0]?.vitals ?? {});
        expectRested(run.rested);
        if (run.samples.length >= SAMPLES_FOR_A_TREND) {
          expect(trends.filter(({ isFlat }) => !isFlat)).toEqual([]);
        }
      } finally {
        await operatorBrowser.close();
        await scene.close();
        rmSync(probes, { recursive: true, force: true });
      }
    },
  );
});

async function moveAndMeasure(opened: Scene, probes: string, operatorBrowser: Browser): Promise<Run> {
  // Requests come from a browser of their own, so that the one of the call holds nothing but the call.
  const operator = await openCallPage(operatorBrowser, opened.platform, 'operator');
  const scene: Scene = { ...opened, api: apiThrough(operator, opened.platform) };
  const vitals = new VitalSigns(scene, probes);
  await vitals.open(scene.pages);
  const run: Measuring = {
    samples: [],
    windows: [],
    moves: [],
    fragments: new Set(),
    dropped: { moving: {}, still: {} },
    rested: {},
  };
  const note = async (): Promise<void> => {
    for (const fragment of await iceFragments(scene)) run.fragments.add(fragment);
  };
  await sleep(5_000);
  run.samples.push({ moves: 0, vitals: await vitals.take() });
  for (let done = 0; done < MOVES; done += MOVES_PER_SAMPLE) {
    const before = await vitals.dropped();
    run.windows.push(
      await watch(scene, 'moving', async () => {
        run.moves.push(await moveOften(scene, MOVES_PER_SAMPLE, note));
      }),
    );
    const between = await vitals.dropped();
    run.windows.push(await stay(scene, STILL_MS));
    addGrowth(run.dropped.moving, before, between);
    addGrowth(run.dropped.still, between, await vitals.dropped());
    run.samples.push({ moves: done + MOVES_PER_SAMPLE, vitals: await vitals.take() });
    // A long run that is broken off has its results so far.
    save(run);
    // A full collection stops a page for a moment: that belongs to no window.
    await sleep(500);
  }
  await sleep(REST_MS);
  run.rested = await vitals.take();
  return run;
}

function addGrowth(
  sums: Record<string, number>,
  before: Record<string, number>,
  after: Record<string, number>,
): void {
  for (const [name, value] of Object.entries(after)) {
    const grown = value - (before[name] ?? 0);
    if (grown !== 0) sums[name] = (sums[name] ?? 0) + grown;
  }
}

/** What holds at every moment, however short the run. */
function expectTidy(vitals: Record<string, number>, first: Record<string, number>): void {
  for (const node of ['node 1', 'node 2']) {
    expect(vitals[`${node}.udpSockets`], `${node} opens no sockets`).toBe(first[`${node}.udpSockets`]);
    expect(vitals[`${node}.descriptors`], `${node} opens no files`).toBe(first[`${node}.descriptors`]);
    expect(vitals[`${node}.held.moves_running`], `${node} ends moves`).toBe(0);
    expect(vitals[`${node}.held.datapath_held_packets`], `${node} holds no packets`).toBe(0);
  }
  expect(vitals['control.held.moves_running']).toBe(0);
  expect(vitals['control.held.migrations_running']).toBe(0);
  for (const page of ['page 1', 'page 2']) {
    expect(vitals[`${page}.peers`]).toBe(1);
    expect(vitals[`${page}.listeners`], `${page} adds no listeners`).toBeLessThanOrEqual(
      (first[`${page}.listeners`] ?? 0) + 2,
    );
  }
}

/** A transport, its streams and paths at one node, and nothing of the moves. */
function expectRested(vitals: Record<string, number>): void {
  const sumOf = (kind: string): number =>
    (vitals[`node 1.held.${kind}`] ?? Number.NaN) + (vitals[`node 2.held.${kind}`] ?? Number.NaN);
  expect(sumOf('transports_owned')).toBe(2);
  expect(sumOf('transports_relayed') + sumOf('transports_prepared')).toBe(0);
  expect(sumOf('moves_as_source') + sumOf('moves_as_target')).toBe(0);
  expect(sumOf('streams')).toBe(2);
  expect(sumOf('datapath_transports')).toBe(2);
  expect(sumOf('datapath_streams')).toBe(4);
  expect(sumOf('datapath_egresses')).toBe(4);
  expect(sumOf('datapath_paths')).toBe(2);
  // An address that the client checked and then did not come by is still watched for its proof: one of each transport.
  expect(sumOf('datapath_watches')).toBeLessThanOrEqual(2);
  expect(sumOf('accepted_ingresses')).toBe(0);
}

/** What is left of that which comes and goes with moves. */
const restingValues = (vitals: Record<string, number>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(vitals).filter(([name]) => /moves_as|relayed|bindings|ufrags|candidatePairs/.test(name)),
  );

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

function summarize({ windows, moves, fragments, samples, dropped, rested }: Run): string {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const line = (kind: Window['kind']): string => {
    const of = windows.filter((window) => window.kind === kind);
    const seconds = sum(of.map((window) => window.seconds));
    const gaps = of.map(({ gapMs }) => gapMs);
    const counted = (['lost', 'freezes', 'plis', 'keyFrames', 'concealed'] as const)
      .map((key) => `${key} ${sum(of.map((window) => window[key]))}`)
      .join(', ');
    const pressure = Math.max(...of.map(({ cpuPressure }) => cpuPressure));
    return (
      `${kind}: ${seconds.toFixed(0)} s in ${of.length} windows: ${counted}, ` +
      `largest gap of a window: median ${median(gaps).toFixed(1)}, max ${Math.max(...gaps).toFixed(1)} ms, ` +
      `waiting for a core: median ${percent(median(of.map(({ cpuPressure }) => cpuPressure)))}, max ${percent(pressure)} of a window`
    );
  };
  const disturbed = windows.filter(({ lost, freezes }) => lost > 0 || freezes > 0);
  const spread = (values: readonly number[]): string => {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
    return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, max ${at(1)} ms`;
  };
  const durations = moves.flatMap(({ durationsMs }) => durationsMs);
  const transfers = moves.flatMap(({ transfersMs }) => transfersMs);
  const failures = moves.flatMap((done) => done.failures);
  return [
    `${durations.length} moves of 2 transports, ${samples.length} samples, ${failures.length} failed moves` +
      `${failures.length === 0 ? '' : ` (${[...new Set(failures)].join('; ')})`}, ` +
      `${fragments.size} ICE generations of both pages`,
    `a move of the session took ${spread(durations)}`,
    `a transfer took ${spread(transfers)}`,
    line('moving'),
    line('still'),
    `dropped by the nodes while moving: ${JSON.stringify(dropped.moving)}; while still: ${JSON.stringify(dropped.still)}`,
    `after a rest of ${REST_MS / 1_000} s: ${JSON.stringify(restingValues(rested))}`,
    `windows with a loss or a freeze: ${disturbed.length}`,
    ...disturbed.map(
      ({ kind, lost, lostAudio, freezes, gapMs, cpuPressure, stallMs }) =>
        `- ${kind}: lost ${lost} (audio ${lostAudio}), freezes ${freezes}, largest gap ${gapMs.toFixed(0)} ms; ` +
        `waiting for a core ${percent(cpuPressure)}, longest stall of an idle process ${stallMs.toFixed(0)} ms`,
    ),
  ].join('\n');
}

/** For the report: what was measured, as a table, charts and plain numbers. */
function save(run: Run): string {
  const trends = trendsOf(run.samples);
  const result = `${summarize(run)}\n\n${trendTable(trends)}\n`;
  const charted = trends.map(({ name }) => name).filter((name) => CHARTED.test(name));
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, 'samples.json'),
    JSON.stringify({ samples: run.samples, windows: run.windows }),
  );
  writeFileSync(join(RESULTS, 'result.md'), result);
  writeFileSync(join(RESULTS, 'charts.svg'), trendCharts(run.samples, charted));
  return result;
}
