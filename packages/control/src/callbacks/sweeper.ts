import type { Logger } from 'pino';
import type { CallbackBounds, Storage } from '@godwit/storage';
import {
  CALLBACK_DEAD_KEPT_MS,
  CALLBACK_SWEEP_MS,
  CALLBACKS_DEAD_MAX,
  CALLBACKS_WAITING_MAX,
} from '../limits.js';
import type { Metrics } from '../metrics.js';

export interface CallbackSweeperOptions {
  readonly storage: {
    readonly jobs: Pick<Storage['jobs'], 'forgetDead'>;
    readonly callbacks: Pick<Storage['callbacks'], 'sweep'>;
  };
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'callbacks'>;
  readonly clockMs: () => number;
  readonly bounds?: CallbackBounds;
}

const BOUNDS: CallbackBounds = { waiting: CALLBACKS_WAITING_MAX, dead: CALLBACKS_DEAD_MAX };

/**
 * Keeps the callbacks of each receiver within their bounds in number and age, and forgets those of receivers that were taken
 * away; so many at a time, so that nobody waits long for the rows.
 */
export class CallbackSweeper {
  readonly #options: CallbackSweeperOptions;
  #nextMs = 0;
  #sweeping: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: CallbackSweeperOptions) {
    this.#options = options;
  }

  /** Sweeps each CALLBACK_SWEEP_MS, and sooner when it is due; call it often. */
  tick(): void {
    const nowMs = this.#options.clockMs();
    if (this.#isClosed || this.#sweeping !== null || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + CALLBACK_SWEEP_MS;
    this.#sweeping = this.#sweep(nowMs)
      .catch((error: unknown) =>
        this.#options.log.warn({ error: String(error) }, 'sweeping the callbacks failed'),
      )
      .finally(() => (this.#sweeping = null));
  }

  /** There is something to sweep. */
  due(): void {
    this.#nextMs = 0;
  }

  /** Begins nothing more, and waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sweeping;
  }

  async #sweep(nowMs: number): Promise<void> {
    const { storage, log, metrics, bounds = BOUNDS } = this.#options;
    const total = { dropped: 0, crowdedOut: 0, forgotten: 0 };
    let isPartial = true;
    while (isPartial && !this.#isClosed) {
      const swept = await storage.callbacks.sweep(nowMs, bounds);
      const old = await storage.jobs.forgetDead(nowMs - CALLBACK_DEAD_KEPT_MS);
      metrics.callbacks.inc({ outcome: 'dropped' }, swept.dropped);
      metrics.callbacks.inc({ outcome: 'crowded-out' }, swept.crowdedOut);
      metrics.callbacks.inc({ outcome: 'forgotten' }, swept.forgotten + old);
      total.dropped += swept.dropped;
      total.crowdedOut += swept.crowdedOut;
      total.forgotten += swept.forgotten + old;
      isPartial = swept.isPartial || old > 0;
    }
    if (total.crowdedOut > 0) log.warn(total, 'gave callbacks up: too many wait for one receiver');
    else if (total.dropped + total.forgotten > 0) log.info(total, 'forgot callbacks');
  }
}
