import { EXCEPTION_BATCH_MAX, type Exception, type OnExceptions } from '@godwit/datapath';
import type { Counters } from './counters.js';
import { EXCEPTION_QUEUE_MAX } from './limits.js';

/** Gathers exceptions and hands them up once per turn of the event loop. */
export class ExceptionQueue {
  readonly #onExceptions: OnExceptions;
  readonly #counters: Counters;
  #queue: Exception[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(onExceptions: OnExceptions, counters: Counters) {
    this.#onExceptions = onExceptions;
    this.#counters = counters;
  }

  push(exception: Exception): void {
    if (this.#isClosed) return;
    if (this.#queue.length >= EXCEPTION_QUEUE_MAX) {
      this.#counters.exceptions_overflow += 1;
      return;
    }
    this.#queue.push(exception);
    this.#schedule();
  }

  /** What waits is forgotten. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#handUp();
    });
  }

  #handUp(): void {
    if (this.#queue.length === 0) return;
    const batch =
      this.#queue.length <= EXCEPTION_BATCH_MAX ? this.#queue : this.#queue.splice(0, EXCEPTION_BATCH_MAX);
    if (batch === this.#queue) this.#queue = [];
    else this.#schedule();
    this.#onExceptions(batch);
  }
}
