import { HIDDEN_INTERVALS_MAX } from '../limits.js';
import type { TimeWindow } from './frameTimeline.js';

/** When the page was hidden: that time is unmeasured, not zero. */
export class HiddenTime {
  readonly #intervals: TimeWindow[] = [];
  #sinceMs: number | undefined;

  /** The page was hidden or shown. */
  changed(hidden: boolean, atMs: number): void {
    if (hidden) {
      this.#sinceMs ??= atMs;
      return;
    }
    if (this.#sinceMs === undefined) return;
    this.#intervals.push({ fromMs: this.#sinceMs, toMs: atMs });
    this.#sinceMs = undefined;
    if (this.#intervals.length > HIDDEN_INTERVALS_MAX) this.#intervals.shift();
  }

  /** Milliseconds of the window in which the page was hidden. */
  within({ fromMs, toMs }: TimeWindow): number {
    const open = this.#sinceMs === undefined ? [] : [{ fromMs: this.#sinceMs, toMs }];
    const overlaps = [...this.#intervals, ...open].map((interval) =>
      Math.max(0, Math.min(interval.toMs, toMs) - Math.max(interval.fromMs, fromMs)),
    );
    return overlaps.reduce((sum, overlapMs) => sum + overlapMs, 0);
  }
}
