/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Someone may give up waiting: a later rejection then concerns nobody.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/**
 * Something that happens at most once, and maybe not for days. Whoever stops waiting leaves nothing behind; a promise
 * keeps everything that ever waited for it, every race included, until it settles.
 */
export class OneTimeEvent {
  #happened = false;
  readonly #listeners = new Set<() => void>();

  /** Those that wait now. */
  get waiting(): number {
    return this.#listeners.size;
  }

  /** Calls `listener` when it happens, at once when it has. Returns how to stop waiting. */
  listen(listener: () => void): () => void {
    if (this.#happened) listener();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  happen(): void {
    this.#happened = true;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

/** What `promise` gives, or `late` after `timeoutMs`. Its timer never outlives it. */
export async function within<T, L>(promise: Promise<T>, timeoutMs: number, late: L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs tasks one after the other, in the order in which they came. A failed one does not stop the next. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** Works through `items` with at most `limit` at a time. */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const runner = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runner));
}
