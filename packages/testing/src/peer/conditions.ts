import { clockMs } from './media-transport.js';

/** How often a condition is asked again while nobody wakes it. */
const CONDITION_INTERVAL_MS = 20;

/** Those that wait for something to become true. */
export class Conditions {
  readonly #waiting = new Set<() => void>();

  /** Resolves when the condition holds. Rejects after `timeoutMs`. */
  async until(what: string, condition: () => boolean, timeoutMs: number): Promise<void> {
    const deadlineMs = clockMs() + timeoutMs;
    while (!condition()) {
      if (clockMs() > deadlineMs) throw new Error(`never: ${what}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, CONDITION_INTERVAL_MS);
        this.#waiting.add(wake);
      });
    }
  }

  /** Something has happened: every condition is asked again. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
