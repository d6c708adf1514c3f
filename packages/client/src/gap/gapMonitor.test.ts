import type { GapReport } from '@godwit/protocol';
import { gapReport } from '@godwit/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { GAP_WINDOW_AFTER_MS, GAP_WINDOW_MAX_MS } from '../limits.js';
import { FakePlatform } from '../testing/fakePlatform.js';
import { GapMonitor } from './gapMonitor.js';

const MOVE = '00000000000000aa';

let platform: FakePlatform;
let monitor: GapMonitor;
let reports: GapReport[];
let counters: Record<string, Record<string, unknown>>;

beforeEach(() => {
  platform = new FakePlatform();
  reports = [];
  counters = {
    video: { type: 'inbound-rtp', packetsLost: 3, freezeCount: 1, keyFramesDecoded: 2, pliCount: 1 },
    audio: { type: 'inbound-rtp', packetsLost: 0, concealedSamples: 960 },
    sent: { type: 'outbound-rtp', pliCount: 5 },
  };
  monitor = new GapMonitor(platform, {
    getStats: () =>
      Promise.resolve(
        new Map(Object.entries(counters).map(([id, entry]) => [id, { id, timestamp: 0, ...entry }])),
      ),
    measured: (report) => reports.push(report),
  });
});

async function playFor(ms: number, frame: (atMs: number) => void, intervalMs = 40): Promise<void> {
  for (let elapsedMs = 0; elapsedMs < ms; elapsedMs += intervalMs) {
    await platform.advance(intervalMs);
    frame(platform.now());
  }
}

describe('a move', () => {
  it('is compared with a window of equal length before it', async () => {
    const timeline = monitor.watch();
    await playFor(6_000, (atMs) => timeline.frame(atMs));
    monitor.begin(MOVE);
    await platform.advance(200);
    await playFor(200, (atMs) => timeline.frame(atMs));
    monitor.end(MOVE);
    await playFor(GAP_WINDOW_AFTER_MS + 100, (atMs) => timeline.frame(atMs));
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({
      moveId: MOVE,
      frameGapMsMax: 240,
      frameGapBeforeMsMax: 40,
      subscribers: 1,
      hiddenMs: 0,
      windowMs: 2_400,
    });
    expect(gapReport.safeParse(reports[0]).success).toBe(true);
  });

  it('is charged with what the counters grew by, in streams that were there before', async () => {
    monitor.begin(MOVE);
    await platform.advance(10);
    counters = {
      video: { type: 'inbound-rtp', packetsLost: 5, freezeCount: 2, keyFramesDecoded: 3, pliCount: 2 },
      audio: { type: 'inbound-rtp', packetsLost: -1, concealedSamples: 1_440 },
      late: { type: 'inbound-rtp', packetsLost: 100, keyFramesDecoded: 1 },
      sent: { type: 'outbound-rtp', pliCount: 9 },
    };
    monitor.end(MOVE);
    await platform.advance(GAP_WINDOW_AFTER_MS);
    expect(reports[0]).toMatchObject({
      packetsLost: 1,
      freezeCount: 1,
      keyFramesDecoded: 1,
      pliCount: 1,
      concealedSamples: 480,
      frameGapMsMax: null,
    });
  });

  it('says how long the page was hidden', async () => {
    const timeline = monitor.watch();
    await playFor(400, (atMs) => timeline.frame(atMs));
    monitor.visibilityChanged(true);
    monitor.begin(MOVE);
    await platform.advance(1_000);
    monitor.visibilityChanged(false);
    monitor.end(MOVE);
    await playFor(GAP_WINDOW_AFTER_MS, (atMs) => timeline.frame(atMs));
    expect(reports[0]).toMatchObject({ hiddenMs: 1_000, frameGapMsMax: 40 });
  });

  it('is measured once, however often it is announced', async () => {
    expect(monitor.begin(MOVE)).toBe(true);
    expect(monitor.begin(MOVE)).toBe(false);
    monitor.end(MOVE);
    monitor.end(MOVE);
    await platform.advance(GAP_WINDOW_MAX_MS);
    expect(reports).toHaveLength(1);
  });

  it('whose end is not announced is reported after the longest window', async () => {
    monitor.begin(MOVE);
    await platform.advance(GAP_WINDOW_MAX_MS);
    expect(reports[0]).toMatchObject({ windowMs: GAP_WINDOW_MAX_MS });
  });

  it('is not reported after the session was left', async () => {
    monitor.begin(MOVE);
    monitor.close();
    await platform.advance(GAP_WINDOW_MAX_MS);
    expect(reports).toEqual([]);
  });
});
