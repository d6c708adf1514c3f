import type { ControlContext } from '../context.js';
import { ENDED_KEPT_MS, FORGETTING_ROUNDS_MAX, RETENTION_INTERVAL_MS, SIGNALS_KEPT_MS } from '../limits.js';

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
    const failed = (error: unknown): void => {
      log.error({ error: String(error) }, 'forgetting what ended long ago failed');
    };
    forgetAll((beforeMs) => storage.signals.forget(beforeMs), nowMs - SIGNALS_KEPT_MS).catch(failed);
    forgetAll((beforeMs) => storage.connections.forgetEnded(beforeMs), nowMs - ENDED_KEPT_MS).then(
      (connections) => {
        if (connections > 0) log.info({ connections }, 'forgot connections that ended long ago');
      },
      failed,
    );
  }
}

/** Round by round, as long as there is something to forget; answers how much. */
async function forgetAll(forget: (beforeMs: number) => Promise<number>, beforeMs: number): Promise<number> {
  let total = 0;
  for (let round = 0; round < FORGETTING_ROUNDS_MAX; round++) {
    const count = await forget(beforeMs);
    total += count;
    if (count === 0) break;
  }
  return total;
}
