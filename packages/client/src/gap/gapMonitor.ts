import type { GapReport } from '@godwit/protocol';
import { GAP_MEASUREMENTS_MAX, GAP_WINDOW_AFTER_MS, GAP_WINDOW_MAX_MS } from '../limits.js';
import { log } from '../log.js';
import type { Platform, Timer } from '../signalling/platform.js';
import type { StatsEntry, StatsSource } from '../stats/selectStats.js';
import { growth, inboundStreams } from './counters.js';
import { FrameTimeline } from './frameTimeline.js';
import type { TimeWindow } from './frameTimeline.js';
import { HiddenTime } from './hiddenTime.js';

interface Measurement {
  moveId: string;
  fromMs: number;
  before: Promise<ReadonlyMap<string, StatsEntry>>;
  timer: Timer;
}

export interface GapMonitorDelegate {
  getStats(): Promise<StatsSource>;
  /** A window is over. */
  measured(report: GapReport): void;
}

/**
 * Measures each move where people feel it (HANDOVER 10): from its notice to GAP_WINDOW_AFTER_MS after its end,
 * against a window of equal length just before.
 */
export class GapMonitor {
  readonly #platform: Platform;
  readonly #delegate: GapMonitorDelegate;
  readonly #timelines = new Set<FrameTimeline>();
  readonly #hidden = new HiddenTime();
  readonly #measurements = new Map<string, Measurement>();

  constructor(platform: Platform, delegate: GapMonitorDelegate) {
    this.#platform = platform;
    this.#delegate = delegate;
  }

  /** Starts a timeline for one subscriber's video. */
  watch(): FrameTimeline {
    const timeline = new FrameTimeline();
    this.#timelines.add(timeline);
    return timeline;
  }

  unwatch(timeline: FrameTimeline): void {
    this.#timelines.delete(timeline);
  }

  /** The page was hidden or shown. */
  visibilityChanged(hidden: boolean): void {
    const nowMs = this.#platform.now();
    this.#hidden.changed(hidden, nowMs);
    for (const timeline of this.#timelines) {
      if (hidden) timeline.suspend('hidden', nowMs);
      else timeline.resume('hidden');
    }
  }

  /** A move was announced. Returns false when it is being measured already (a second notice of the same move). */
  begin(moveId: string): boolean {
    if (this.#measurements.has(moveId) || this.#measurements.size >= GAP_MEASUREMENTS_MAX) return false;
    const before = this.#delegate.getStats().then(inboundStreams);
    before.catch(() => undefined); // looked at when the window ends
    const timer = this.#platform.setTimer(() => void this.#finish(moveId), GAP_WINDOW_MAX_MS);
    this.#measurements.set(moveId, { moveId, fromMs: this.#platform.now(), before, timer });
    return true;
  }

  /** The move's end was announced: its window closes a little later. */
  end(moveId: string): void {
    const measurement = this.#measurements.get(moveId);
    if (measurement === undefined) return;
    this.#platform.clearTimer(measurement.timer);
    measurement.timer = this.#platform.setTimer(() => void this.#finish(moveId), GAP_WINDOW_AFTER_MS);
  }

  close(): void {
    for (const { timer } of this.#measurements.values()) this.#platform.clearTimer(timer);
    this.#measurements.clear();
    this.#timelines.clear();
  }

  async #finish(moveId: string): Promise<void> {
    const measurement = this.#measurements.get(moveId);
    if (measurement === undefined) return;
    const window = { fromMs: measurement.fromMs, toMs: this.#platform.now() };
    // The gaps are read first: waiting for the statistics would lengthen the window.
    const frames = this.#frameGaps(window);
    try {
      const [before, report] = await Promise.all([measurement.before, this.#delegate.getStats()]);
      if (!this.#measurements.delete(moveId)) return;
      const counters = growth(before, inboundStreams(report));
      this.#delegate.measured({ moveId, ...frames, ...counters });
    } catch (error) {
      this.#measurements.delete(moveId);
      log.warn('a move could not be measured', error);
    }
  }

  #frameGaps(window: TimeWindow): Omit<GapReport, 'moveId' | keyof ReturnType<typeof growth>> {
    const windowMs = window.toMs - window.fromMs;
    const earlier = { fromMs: window.fromMs - windowMs, toMs: window.fromMs };
    return {
      frameGapMsMax: this.#largestGapMs(window),
      frameGapBeforeMsMax: this.#largestGapMs(earlier),
      hiddenMs: this.#hidden.within(window),
      windowMs,
      subscribers: this.#timelines.size,
    };
  }

  #largestGapMs(window: TimeWindow): number | null {
    const gaps = [...this.#timelines].map((timeline) => timeline.largestGapMs(window));
    const measured = gaps.filter((gap) => gap !== null);
    return measured.length === 0 ? null : Math.max(...measured);
  }
}
