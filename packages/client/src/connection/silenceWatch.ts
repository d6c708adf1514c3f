import { SILENCE_MS, SILENCE_SAMPLE_MS, SILENCE_WITHOUT_MEDIA_MS, SUSPICION_MAX_MS } from '../limits.js';
import type { Platform, Timer } from '../signalling/platform.js';

export interface SilenceWatchDelegate {
  /** A number that grows with everything that comes over the transport, consent checks included. */
  received(): Promise<number>;
  /** Media is agreed upon, one way or the other. */
  hasMedia(): boolean;
  /** Nothing has come for SILENCE_MS, or for SILENCE_WITHOUT_MEDIA_MS. */
  silent(): void;
  /** Something comes again. */
  heard(): void;
}

/**
 * Looks whether anything still comes over a transport whose node has gone out of control's sight. ICE takes several
 * seconds to call a path disconnected; media, feedback and checks that all stop at once say it sooner.
 */
export class SilenceWatch {
  readonly #platform: Platform;
  readonly #delegate: SilenceWatchDelegate;
  #timer: Timer | undefined;
  #untilMs = 0;
  #received: number | undefined;
  #heardAtMs = 0;
  /** When it was last seen to have no media. */
  #withoutMediaAtMs = 0;
  #isSilent = false;
  #closed = false;

  constructor(platform: Platform, delegate: SilenceWatchDelegate) {
    this.#platform = platform;
    this.#delegate = delegate;
  }

  /** When something was last seen to come, on the platform's clock; undefined when nobody is looking. */
  get heardAtMs(): number | undefined {
    return this.#timer === undefined || this.#received === undefined ? undefined : this.#heardAtMs;
  }

  /** Looks for SUSPICION_MAX_MS from now, and on while it is silent. */
  start(): void {
    if (this.#closed) return;
    this.#untilMs = this.#platform.now() + SUSPICION_MAX_MS;
    if (this.#timer !== undefined) return;
    this.#received = undefined;
    this.#schedule(0);
  }

  close(): void {
    this.#closed = true;
    this.#platform.clearTimer(this.#timer);
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#platform.setTimer(() => void this.#look(), delayMs);
  }

  async #look(): Promise<void> {
    const received = await this.#delegate.received().catch(() => undefined);
    if (this.#closed) return;
    const nowMs = this.#platform.now();
    const isQuiet = this.#isQuiet(nowMs);
    // A browser that drops a candidate pair drops what came by it from the sum: less is not heard, but counted from.
    const isHeard = received !== undefined && received > (this.#received ?? Number.NEGATIVE_INFINITY);
    this.#received = received ?? this.#received;
    if (isHeard) {
      this.#heardAtMs = nowMs;
      if (this.#isSilent) this.#delegate.heard();
      this.#isSilent = false;
    } else if (!this.#isSilent && this.#received !== undefined && isQuiet) {
      this.#isSilent = true;
      this.#delegate.silent();
    }
    if (this.#isSilent || nowMs < this.#untilMs) this.#schedule(SILENCE_SAMPLE_MS);
    else this.#timer = undefined;
  }

  /** Nothing has come for so long that something would have. Media that was just agreed upon may be still to come. */
  #isQuiet(nowMs: number): boolean {
    if (this.#delegate.hasMedia()) {
      return nowMs - Math.max(this.#heardAtMs, this.#withoutMediaAtMs) >= SILENCE_MS;
    }
    this.#withoutMediaAtMs = nowMs;
    return nowMs - this.#heardAtMs >= SILENCE_WITHOUT_MEDIA_MS;
  }
}

/** What {@link SilenceWatchDelegate.received} wants, from a browser's report. */
export function receivedOf(report: Iterable<readonly [string, unknown]>): number {
  let sum = 0;
  for (const [, value] of report) {
    const entry = value as Record<string, unknown>;
    if (entry['type'] !== 'candidate-pair') continue;
    for (const key of ['bytesReceived', 'responsesReceived', 'requestsReceived']) {
      const counted = entry[key];
      if (typeof counted === 'number') sum += counted;
    }
  }
  return sum;
}
