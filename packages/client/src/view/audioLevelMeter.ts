import { AUDIO_LEVEL_INTERVAL_MS } from '../limits.js';
import type { Platform, Timer } from '../signalling/platform.js';

/** Reads an audio level (0 to 1) ten times a second while somebody listens. */
export class AudioLevelMeter {
  readonly #platform: Platform;
  readonly #read: () => Promise<number | undefined>;
  readonly #heard: (level: number) => void;
  readonly #wanted: () => boolean;
  #timer: Timer | undefined;

  constructor(
    platform: Platform,
    read: () => Promise<number | undefined>,
    wanted: () => boolean,
    heard: (level: number) => void,
  ) {
    this.#platform = platform;
    this.#read = read;
    this.#wanted = wanted;
    this.#heard = heard;
  }

  start(): void {
    this.stop();
    this.#timer = this.#platform.setTimer(() => void this.#tick(), AUDIO_LEVEL_INTERVAL_MS);
  }

  stop(): void {
    this.#platform.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    const timer = this.#timer;
    if (this.#wanted()) {
      const level = await this.#read().catch(() => undefined);
      if (level !== undefined && this.#timer === timer) this.#heard(level);
    }
    if (this.#timer === timer) this.start();
  }
}
