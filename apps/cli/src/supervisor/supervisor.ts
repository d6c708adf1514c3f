import { CONFIGURATION_EXIT_CODE } from '../errors.js';
import { STOP_GRACE_MS } from '../limits.js';
import { NO_FAILURES, nextRestart, type RestartHistory } from './backoff.js';
import { readableLine } from './log-lines.js';
import type { Child, ChildEnd, ChildOptions } from './child.js';

export interface SupervisedProcess {
  /** "control", "node 1": shown before its lines. */
  readonly name: string;
  readonly commandLine: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

export interface SupervisorOptions {
  readonly start: (options: ChildOptions) => Child;
  /** A line for the person at the terminal. */
  readonly say: (line: string) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Keeps processes running, says whatever happens to them, and ends with all of them. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Set<Child>();
  readonly #keepers = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Starts a process and keeps it; resolves to its URL at its first `ready`, rejects when it cannot run at all. */
  keep(spec: SupervisedProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const keeper = this.#keepRunning(spec, resolve).then(
        () => reject(new Error(`${spec.name} has ended`)),
        (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
      );
      this.#keepers.add(keeper);
      void keeper.finally(() => this.#keepers.delete(keeper));
    });
  }

  /** Whether `stop` was called: children that end now end because of it. */
  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Ends every child: asks first, kills what has not ended in time. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const child of this.#children) child.stop();
    const grace = new AbortController();
    const killing = this.#options.wait(STOP_GRACE_MS, grace.signal).then(() => {
      if (grace.signal.aborted) return;
      for (const child of this.#children) child.kill();
    });
    await Promise.all(this.#keepers);
    grace.abort();
    await killing;
  }

  async #keepRunning(spec: SupervisedProcess, onReady: (url: string) => void): Promise<void> {
    let history: RestartHistory = NO_FAILURES;
    let wasReady = false;
    while (!this.#stopping.signal.aborted) {
      const startedAt = this.#options.now();
      const end = await this.#runOnce(spec, (url) => {
        wasReady = true;
        onReady(url);
      });
      if (this.#stopping.signal.aborted) return;
      if ('code' in end && end.code === 0) {
        this.#options.say(`${spec.name} was asked to stop and has stopped; it is not started again.`);
        return;
      }
      if (!wasReady && 'code' in end && end.code === CONFIGURATION_EXIT_CODE) {
        throw new ChildCannotRunError(spec.name);
      }
      const restart = nextRestart(history, this.#options.now() - startedAt);
      history = restart.history;
      this.#options.say(
        `${spec.name} died unexpectedly (${describeEnd(end)}); starting it again in ${restart.delayMs} ms.`,
      );
      await this.#options.wait(restart.delayMs, this.#stopping.signal);
    }
  }

  async #runOnce(spec: SupervisedProcess, onReady: (url: string) => void): Promise<ChildEnd> {
    const child = this.#options.start({
      commandLine: spec.commandLine,
      env: spec.env,
      // While everything ends, children miss each other: that is no news.
      onLine: (line) => {
        if (!this.stopping) this.#options.say(`[${spec.name}] ${readableLine(line)}`);
      },
      onReady,
    });
    this.#children.add(child);
    const end = await child.ended;
    this.#children.delete(child);
    return end;
  }
}

/** The child said on stderr why it cannot run; trying again would change nothing. */
export class ChildCannotRunError extends Error {
  override readonly name = 'ChildCannotRunError';

  constructor(child: string) {
    super(`${child} cannot run with these settings`);
  }
}

function describeEnd(end: ChildEnd): string {
  if ('error' in end) return end.error.message;
  return 'signal' in end ? end.signal : `exit code ${end.code}`;
}
