import { FRAME_TIMES_MAX } from '../limits.js';

/** A window on the clock of `performance.now()`, ms. */
export interface TimeWindow {
  fromMs: number;
  toMs: number;
}

interface Mark {
  atMs: number;
  /** A presented frame, or a point after which frames are not expected (hidden page, muted video). */
  frame: boolean;
}

/** Why frames are not expected for a while. */
export type Suspension = 'hidden' | 'muted';

/** When frames of one subscriber were presented: the last FRAME_TIMES_MAX marks. */
export class FrameTimeline {
  readonly #marks: Mark[] = [];
  readonly #suspensions = new Set<Suspension>();

  /** A frame was presented. */
  frame(atMs: number): void {
    if (this.#suspensions.size === 0) this.#push({ atMs, frame: true });
  }

  /** From now until the first frame after `resume` nothing is measured. */
  suspend(reason: Suspension, atMs: number): void {
    this.#suspensions.add(reason);
    if (this.#marks.at(-1)?.frame === true) this.#push({ atMs, frame: false });
  }

  resume(reason: Suspension): void {
    this.#suspensions.delete(reason);
  }

  /**
   * Largest time between two presented frames that touches the window, ms. While frames are expected, the time
   * from the last frame to the window's end counts too. Null when nothing was measured.
   */
  largestGapMs({ fromMs, toMs }: TimeWindow): number | null {
    let largest: number | null = null;
    const consider = (startMs: number, endMs: number): void => {
      if (endMs > fromMs && startMs < toMs) largest = Math.max(largest ?? 0, endMs - startMs);
    };
    let previous: Mark | undefined;
    for (const mark of this.#marks) {
      if (previous?.frame === true) {
        // A pause ends the wait for a frame; up to it the picture may have stood still.
        if (mark.frame) consider(previous.atMs, mark.atMs);
        else consider(previous.atMs, Math.min(mark.atMs, toMs));
      }
      previous = mark;
    }
    if (previous?.frame === true && previous.atMs < toMs) consider(previous.atMs, toMs);
    return largest;
  }

  #push(mark: Mark): void {
    const last = this.#marks.at(-1);
    // Presentation times may come out of order by a compositor's turn; the timeline stays sorted.
    this.#marks.push(last !== undefined && mark.atMs < last.atMs ? { ...mark, atMs: last.atMs } : mark);
    if (this.#marks.length > FRAME_TIMES_MAX) this.#marks.shift();
  }
}
