import { GAPS_MAX, GAP_HISTORY_MS } from '../limits.js';

/**
 * Frame gaps of one received video. `endsMs[i]` is when a frame was presented (ms of `performance.now()`),
 * `gapsMs[i]` the time since the frame before it. Both grow together and are ordered by time.
 */
export interface GapSeries {
  readonly key: string;
  /** Who sees whom, as the legend says it. */
  readonly label: string;
  readonly endsMs: number[];
  readonly gapsMs: number[];
  /** The last presented frame; null before the first and after a pause that cannot be measured. */
  lastFrameMs: number | null;
  /** The sender stopped its video on purpose: neither its absence nor a straggling frame is a gap. */
  suspended: boolean;
}

/** A span of time; `toMs` is null while it lasts. */
export interface Span {
  readonly fromMs: number;
  toMs: number | null;
}

export function createSeries(key: string, label: string): GapSeries {
  return { key, label, endsMs: [], gapsMs: [], lastFrameMs: null, suspended: false };
}

/** Notes a presented frame. The first one after a pause starts anew and makes no gap. */
export function noteFrame(series: GapSeries, atMs: number): void {
  if (series.suspended) return;
  const last = series.lastFrameMs;
  series.lastFrameMs = atMs;
  if (last === null || atMs <= last) return;
  series.endsMs.push(atMs);
  series.gapsMs.push(atMs - last);
  trim(series, atMs - GAP_HISTORY_MS);
}

/** From here on nothing is known (hidden page, video paused): what follows is unmeasured, not zero. */
export function pauseSeries(series: GapSeries): void {
  series.lastFrameMs = null;
}

/** The sender stopped its video, or started it again. */
export function suspendSeries(series: GapSeries, suspended: boolean): void {
  series.suspended = suspended;
  if (suspended) pauseSeries(series);
}

function trim(series: GapSeries, oldestMs: number): void {
  const tooMany = series.endsMs.length - GAPS_MAX;
  let drop = Math.max(0, tooMany);
  while (drop < series.endsMs.length && (series.endsMs[drop] ?? oldestMs) < oldestMs) drop += 1;
  // Moving the arrays for every frame would cost more than it frees.
  if (drop < 512 && tooMany <= 0) return;
  series.endsMs.splice(0, drop);
  series.gapsMs.splice(0, drop);
}

/**
 * The largest gap of each bucket from `fromMs` to `toMs`, null where nothing was measured. A gap counts in every
 * bucket that it overlaps, so a freeze of two seconds is two seconds wide; the gap that still lasts at `toMs` counts too.
 */
export function largestGaps(
  series: GapSeries,
  fromMs: number,
  toMs: number,
  bucketMs: number,
): (number | null)[] {
  const buckets = new Array<number | null>(Math.max(0, Math.ceil((toMs - fromMs) / bucketMs))).fill(null);
  const put = (startMs: number, endMs: number): void => {
    const first = Math.max(0, Math.floor((startMs - fromMs) / bucketMs));
    const last = Math.min(buckets.length - 1, Math.floor((endMs - fromMs) / bucketMs));
    for (let index = first; index <= last; index += 1) {
      buckets[index] = Math.max(buckets[index] ?? 0, endMs - startMs);
    }
  };
  for (let index = firstAfter(series.endsMs, fromMs); index < series.endsMs.length; index += 1) {
    const endMs = series.endsMs[index] ?? 0;
    const startMs = endMs - (series.gapsMs[index] ?? 0);
    if (startMs > toMs) break;
    put(startMs, endMs);
  }
  const last = series.lastFrameMs;
  if (last !== null && last < toMs) put(last, toMs);
  return buckets;
}

/** Blanks the buckets that touch a span in which the page was hidden. */
export function blankSpans(
  buckets: (number | null)[],
  spans: readonly Span[],
  fromMs: number,
  bucketMs: number,
): (number | null)[] {
  const isBlank = (index: number): boolean => {
    const startMs = fromMs + index * bucketMs;
    return spans.some((span) => span.fromMs < startMs + bucketMs && (span.toMs ?? Infinity) > startMs);
  };
  return buckets.map((value, index) => (value !== null && isBlank(index) ? null : value));
}

/** First index whose time is after `atMs` (binary search: the chart asks four times a second). */
export function firstAfter(timesMs: readonly number[], atMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * From which gap on a video counts as frozen: W3C webrtc-stats, `freezeCount`:
 * max(3 x the average frame duration, the average + 150 ms).
 */
export function freezeThresholdMs(averageGapMs: number): number {
  return Math.max(3 * averageGapMs, averageGapMs + 150);
}

/** Mean gap over the last `count` frames of all series; null when there are none. */
export function averageGapMs(series: readonly GapSeries[], count: number): number | null {
  const recent = series.flatMap((one) => one.gapsMs.slice(-count));
  return recent.length === 0 ? null : recent.reduce((sum, gap) => sum + gap, 0) / recent.length;
}
