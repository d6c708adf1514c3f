import type { ControlContext } from '../context.js';
import { ENDED_KEPT_MS, RETENTION_INTERVAL_MS, SIGNALS_KEPT_MS } from '../limits.js';

type RetentionContext = Pick<ControlContext, 'storage' | 'log' | 'membership'>;

/** Forgets connections, streams and transports that ended long ago, and old signals. One control does it for all. */
export class Retention {
  readonly #context: RetentionContext;
  #nextMs = 0;

  constructor(context: RetentionContext) {
    this.#context = context;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + RETENTION_INTERVAL_MS;
    const { storage, log, membership } = this.#context;
    if (!membership.isLeader()) return;
    storage.signals.forget(nowMs - SIGNALS_KEPT_MS).catch((error: unknown) => {
      log.error({ error: String(error) }, 'forgetting old signals failed');
    });
    storage.connections.forgetEnded(nowMs - ENDED_KEPT_MS).then(
      (connections) => {
        if (connections > 0) log.info({ connections }, 'forgot connections that ended long ago');
      },
      (error: unknown) => {
        log.error({ error: String(error) }, 'forgetting what ended long ago failed');
      },
    );
  }
}
