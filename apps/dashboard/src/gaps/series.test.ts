import { expect, test } from 'vitest';
import fc from 'fast-check';
import { GAP_HISTORY_MS, GAPS_MAX } from '../limits.js';
import {
  averageGapMs,
  blankSpans,
  createSeries,
  firstAfter,
  freezeThresholdMs,
  largestGaps,
  noteFrame,
  pauseSeries,
  suspendSeries,
} from './series.js';

const withFrames = (...timesMs: number[]) => {
  const series = createSeries('a', 'A sees B');
  for (const at of timesMs) noteFrame(series, at);
  return series;
};

test('the first frame makes no gap, every further one does', () => {
  const series = withFrames(1000, 1033, 1066);
  expect(series.gapsMs).toEqual([33, 33]);
  expect(series.endsMs).toEqual([1033, 1066]);
});

test('a pause makes no gap when frames come again', () => {
  const series = withFrames(0, 33);
  pauseSeries(series);
  noteFrame(series, 9_000);
  noteFrame(series, 9_033);
  expect(series.gapsMs).toEqual([33, 33]);
});

test('a freeze is as wide as it lasted and as high as it was', () => {
  const series = withFrames(0, 100, 1100, 1200);
  expect(largestGaps(series, 0, 1250, 250)).toEqual([1000, 1000, 1000, 1000, 1000]);
});

test('a freeze that still lasts is shown before it ends', () => {
  const series = withFrames(0, 50, 100);
  expect(largestGaps(series, 0, 1000, 250)).toEqual([900, 900, 900, 900]);
});

test('time before the first frame and after a pause stays unmeasured', () => {
  const series = withFrames(500, 533);
  pauseSeries(series);
  expect(largestGaps(series, 0, 1000, 250)).toEqual([null, null, 33, null]);
});

test('a hidden span blanks every bucket that it touches', () => {
  const spans = [
    { fromMs: 300, toMs: 400 },
    { fromMs: 900, toMs: null },
  ];
  expect(blankSpans([1, 2, 3, 4, 5], spans, 0, 250)).toEqual([1, null, 3, null, null]);
});

test('history is bounded in time and in number', () => {
  const series = createSeries('a', 'A');
  for (let index = 0; index < GAPS_MAX + 2_000; index += 1) noteFrame(series, index * 40);
  expect(series.gapsMs.length).toBeLessThanOrEqual(GAPS_MAX);
  expect(series.endsMs.length).toBe(series.gapsMs.length);
  const newest = series.endsMs.at(-1) ?? 0;
  expect(series.endsMs[0]).toBeGreaterThan(newest - GAP_HISTORY_MS - 600 * 40);
});

test('a search finds the same index as a walk', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1000 })),
      fc.integer({ min: -1, max: 1001 }),
      (raw, at) => {
        const times = [...raw].sort((a, b) => a - b);
        const walked = times.findIndex((time) => time > at);
        expect(firstAfter(times, at)).toBe(walked === -1 ? times.length : walked);
      },
    ),
  );
});

test('the highest bucket is the largest gap of the series', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 }), (steps) => {
      const series = createSeries('a', 'A');
      let at = 0;
      noteFrame(series, at);
      for (const step of steps) noteFrame(series, (at += step));
      const measured = largestGaps(series, 0, at, 250).filter((value) => value !== null);
      expect(Math.max(...measured)).toBe(Math.max(...steps));
    }),
  );
});

test('the freeze threshold follows webrtc-stats', () => {
  expect(freezeThresholdMs(33)).toBe(183);
  expect(freezeThresholdMs(100)).toBe(300);
});

test('the average looks at recent frames only', () => {
  expect(averageGapMs([withFrames(0, 100, 120, 140)], 2)).toBe(20);
  expect(averageGapMs([], 2)).toBeNull();
});

test('a video that its sender stopped has no gap, not even by a straggling frame', () => {
  const series = withFrames(0, 33);
  suspendSeries(series, true);
  noteFrame(series, 66);
  expect(largestGaps(series, 0, 1000, 250)).toEqual([33, null, null, null]);
  suspendSeries(series, false);
  noteFrame(series, 900);
  noteFrame(series, 940);
  expect(series.gapsMs).toEqual([33, 40]);
});
