import type { LossReport } from '@godwit/protocol';
import { REJOIN_MAX_MS } from '../limits.js';
import { log } from '../log.js';
import { backoffMs } from '../signalling/backoff.js';
import type { Platform, Timer } from '../signalling/platform.js';

export interface RejoinDelegate {
  /** Puts everything on another peer connection; resolves once that is connected. */
  attempt(): Promise<void>;
  restored(report: LossReport): void;
  /** No attempt succeeded in REJOIN_MAX_MS. */
  failed(): void;
}

/** Replaces a transport that died with its node: again and again, until it works or takes too long. */
export class Rejoin {
  readonly #platform: Platform;
  readonly #delegate: RejoinDelegate;
  #running = false;
  #closed = false;
  #timer: Timer | undefined;

  constructor(platform: Platform, delegate: RejoinDelegate) {
    this.#platform = platform;
    this.#delegate = delegate;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** `heardAtMs`: when something last came over the dead transport. Does nothing while it runs. */
  start(heardAtMs: number): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    void this.#run(heardAtMs);
  }

  close(): void {
    this.#closed = true;
    this.#platform.clearTimer(this.#timer);
  }

  async #run(heardAtMs: number): Promise<void> {
    const startedAtMs = this.#platform.now();
    for (let attempts = 1; !this.#closed; attempts += 1) {
      try {
        await this.#delegate.attempt();
        if (this.#closed) return;
        this.#running = false;
        this.#delegate.restored({ silentMs: this.#platform.now() - heardAtMs, attempts });
        return;
      } catch (error) {
        log.warn('a new transport was not made', error);
      }
      const waitMs = backoffMs(attempts - 1, this.#platform.random());
      if (this.#closed) return;
      if (this.#platform.now() + waitMs - startedAtMs > REJOIN_MAX_MS) return this.#delegate.failed();
      await new Promise<void>((resolve) => {
        this.#timer = this.#platform.setTimer(resolve, waitMs);
      });
    }
  }
}
