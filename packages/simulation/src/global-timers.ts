/** Where timers of the code under simulation go. */
export interface TimerHost {
  /** Runs `task` after `delayMs` of virtual time, unless `isCancelled` says otherwise by then. */
  startTimer(delayMs: number, task: () => void, isCancelled: () => boolean): void;
  /** Runs `task` at the end of the present event. */
  defer(task: () => void): void;
}

const realSetImmediate = globalThis.setImmediate;

/** Stands where Node's Timeout stood: what the code under simulation does with one. */
class VirtualTimer {
  isCancelled = false;
  unref(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

let host: TimerHost | null = null;

/**
 * Takes over `setTimeout`, `clearTimeout` and `setImmediate` of this process, so that the code under simulation waits in
 * virtual time without knowing it. Returns what gives them back. One world at a time.
 */
export function takeTimers(virtual: TimerHost): () => void {
  if (host !== null) throw new Error('another world has the timers');
  host = virtual;
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  const start = (task: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): VirtualTimer => {
    const timer = new VirtualTimer();
    virtual.startTimer(
      delayMs,
      () => {
        task(...args);
      },
      () => timer.isCancelled,
    );
    return timer;
  };
  const stop = (timer: unknown): void => {
    if (timer instanceof VirtualTimer) timer.isCancelled = true;
    else clearTimeout(timer as NodeJS.Timeout);
  };
  const immediate = (task: (...args: unknown[]) => void, ...args: unknown[]): void => {
    virtual.defer(() => {
      task(...args);
    });
  };
  Object.assign(globalThis, { setTimeout: start, clearTimeout: stop, setImmediate: immediate });
  return () => {
    host = null;
    Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate });
  };
}

/**
 * Resolves when every promise that can go on without a timer or a message has done so: Node works off all microtasks before
 * its next tick, and no turn of the event loop is spent on it.
 */
export function promisesSettled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** One turn of the real event loop: rejected promises that nobody waited for are reported in it. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}
