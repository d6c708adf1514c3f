import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { CALLBACK_JOB, type CallbackDelivery, type LeasedJob, type Storage } from '@godwit/storage';
import {
  CALLBACK_GIVE_UP_MS,
  CALLBACK_LEASE_MS,
  CALLBACK_POLL_MS,
  CALLBACKS_IN_HAND_MAX,
  CALLBACKS_PER_PROJECT_MAX,
} from '../limits.js';
import type { Metrics } from '../metrics.js';
import type { ProjectDirectory } from '../projects/project.js';
import { retryAfterMs } from './backoff.js';
import { post } from './post.js';
import { signCallback } from './signature.js';
import { CallbackSweeper } from './sweeper.js';

export interface CourierOptions {
  readonly storage: Pick<Storage, 'jobs' | 'callbacks'>;
  readonly projects: ProjectDirectory;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'callbacks'>;
  readonly clockMs: () => number;
  readonly allowsPrivate: boolean;
}

/**
 * Delivers callbacks: at least once, those of one session to one receiver in their order. A receiver that is slow or dead
 * takes up no more than its project's share of what is under way.
 */
export class Courier {
  readonly #options: CourierOptions;
  readonly #inHand = new Map<string, number>();
  readonly #underway = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  readonly #sweeper: CallbackSweeper;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #looksAgain = false;
  #isClosed = false;

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#sweeper = new CallbackSweeper(options);
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.look();
      this.#sweeper.tick();
    }, CALLBACK_POLL_MS);
    this.#timer.unref();
  }

  /** There may be something to deliver. Looked for in any case each CALLBACK_POLL_MS. */
  look(): void {
    if (this.#isClosed) return;
    if (this.#isLooking) {
      this.#looksAgain = true;
      return;
    }
    this.#isLooking = true;
    this.#take()
      .catch((error: unknown) =>
        this.#options.log.warn({ error: String(error) }, 'looking for callbacks failed'),
      )
      .finally(() => {
        this.#isLooking = false;
        const again = this.#looksAgain;
        this.#looksAgain = false;
        if (again) this.look();
      });
  }

  /** Begins nothing more and breaks off what is under way: it is delivered once more by the next control. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#ended.abort();
    await Promise.all([...this.#underway, this.#sweeper.close()]);
  }

  async #take(): Promise<void> {
    const limit = CALLBACKS_IN_HAND_MAX - this.#underway.size;
    if (limit <= 0) return;
    const claimed = await this.#options.storage.jobs.claim({
      kind: CALLBACK_JOB,
      leaseId: randomUUID(),
      nowMs: this.#options.clockMs(),
      leaseMs: CALLBACK_LEASE_MS,
      limit,
      perGroup: CALLBACKS_PER_PROJECT_MAX,
      inHand: this.#inHand,
    });
    for (const job of claimed) this.#begin(job);
  }

  #begin(job: LeasedJob): void {
    this.#inHand.set(job.group, (this.#inHand.get(job.group) ?? 0) + 1);
    const underway = this.#deliver(job)
      .catch((error: unknown) => {
        // Its lease ends, and it is delivered once more.
        this.#options.log.warn(
          { jobId: job.jobId, error: String(error) },
          'a delivery could not be recorded',
        );
      })
      .finally(() => {
        this.#underway.delete(underway);
        const left = (this.#inHand.get(job.group) ?? 1) - 1;
        if (left === 0) this.#inHand.delete(job.group);
        else this.#inHand.set(job.group, left);
        // The next of its lane is due.
        this.look();
      });
    this.#underway.add(underway);
  }

  async #deliver(job: LeasedJob): Promise<void> {
    const { metrics, clockMs, log } = this.#options;
    const { jobs } = this.#options.storage;
    const receiver = await this.#options.storage.callbacks.get(job.subject);
    if (receiver === null) {
      // Taken away since: nothing is owed to it any more, and more of it may be left.
      metrics.callbacks.inc({ outcome: 'dropped' });
      this.#sweeper.due();
      await jobs.complete(job.jobId, job.leaseId);
      return;
    }
    const failure = await this.#attempt(job, receiver.url).catch((error: unknown) =>
      String((error as Error).message),
    );
    if (failure === null) {
      metrics.callbacks.inc({ outcome: 'delivered' });
      await jobs.complete(job.jobId, job.leaseId);
      return;
    }
    const nowMs = clockMs();
    if (nowMs - job.createdAtMs >= CALLBACK_GIVE_UP_MS) {
      metrics.callbacks.inc({ outcome: 'given-up' });
      log.warn(
        { jobId: job.jobId, apiKey: job.group, attempts: job.attempts, failure },
        'a callback was given up',
      );
      await jobs.bury(job.jobId, job.leaseId, { nowMs, error: failure });
      return;
    }
    metrics.callbacks.inc({ outcome: 'failed' });
    const runAtMs = nowMs + retryAfterMs(job.attempts, Math.random());
    await jobs.retry(job.jobId, job.leaseId, { runAtMs, error: failure });
  }

  /** Null when the receiver has taken it, else what was wrong. */
  async #attempt(job: LeasedJob, url: string): Promise<string | null> {
    const { projects, clockMs, allowsPrivate } = this.#options;
    // Written by callbacks of the storage, and by nobody else.
    const { eventId, body } = job.payload as unknown as CallbackDelivery;
    const project = await projects.find(job.group);
    if (project === null) return 'the project is gone';
    const text = JSON.stringify(body);
    const authorization = await signCallback(project, { eventId, body: text }, clockMs());
    const status = await post({
      url,
      body: text,
      allowsPrivate,
      signal: this.#ended.signal,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'godwit',
        'idempotency-key': eventId,
        ...(authorization === null ? {} : { authorization }),
      },
    });
    return status >= 200 && status < 300 ? null : `the receiver answered ${status}`;
  }
}
