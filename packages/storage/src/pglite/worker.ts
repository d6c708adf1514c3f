import { Worker } from 'node:worker_threads';
import { StorageError } from '../errors.js';
import { CLOSE_TIMEOUT_MS, STATEMENT_TIMEOUT_MS } from '../limits.js';
import type { PGliteSession, StatementResult } from './session.js';

type WorkerMessage =
  | { readonly ready: true }
  | { readonly id: number; readonly result: StatementResult }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: string } };

interface Waiting {
  readonly resolve: (result: StatementResult) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A database in `folder`, run by a worker thread: PGlite computes in WASM and would hold up signalling otherwise. An empty
 * folder is filled from `seed`, the path of a packed database, or else by initdb, which takes several times as long.
 * Errors: workerFailed when the database cannot be opened or its thread ends.
 */
export async function openWorkerSession(folder: string, seed?: string): Promise<PGliteSession> {
  const session = new WorkerSession(folder, seed);
  await session.ready;
  return session;
}

class WorkerSession implements PGliteSession {
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #failure: StorageError | null = null;

  constructor(folder: string, seed: string | undefined) {
    this.#worker = new Worker(new URL('./worker-main.js', import.meta.url), { workerData: { folder, seed } });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: WorkerMessage) => {
        if ('ready' in message) resolve();
        else this.#settle(message);
      });
      this.#worker.on('error', (error) => {
        const failure = new StorageError('workerFailed', `The database thread failed: ${error.message}`, {
          cause: error,
        });
        this.#fail(failure);
        reject(failure);
      });
      this.#worker.on('exit', () => {
        const failure = new StorageError('closed', 'The database is closed.');
        this.#fail(failure);
        reject(failure);
      });
    });
  }

  query(sql: string, parameters: readonly unknown[]): Promise<StatementResult> {
    return this.#request({ sql, parameters: [...parameters] }, STATEMENT_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    try {
      await this.#request({ close: true }, CLOSE_TIMEOUT_MS);
    } finally {
      await this.#worker.terminate();
    }
  }

  #request(request: object, timeoutMs: number): Promise<StatementResult> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new StorageError('statementTimeout', `The database did not answer within ${timeoutMs} ms.`));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#worker.postMessage({ id, ...request });
    });
  }

  #settle(message: Exclude<WorkerMessage, { ready: true }>): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if ('result' in message) waiting.resolve(message.result);
    else waiting.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
  }

  #fail(failure: StorageError): void {
    this.#failure ??= failure;
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(this.#failure);
    }
    this.#waiting.clear();
  }
}
