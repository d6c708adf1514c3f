import { isStopMessage } from './supervisor/messages.js';

/** Why a process ends: `drain` moves calls away first (a signal to it alone), `everything` has nowhere to move them to. */
export type StopReason = 'drain' | 'everything';

/**
 * Resolves when this process is asked to end: by SIGTERM or SIGINT, by the process that started it, or by that
 * process's death (its IPC channel closes). Without an IPC channel only signals count.
 */
export function untilAskedToStop(): Promise<StopReason> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve('drain'));
    process.on('message', (message) => {
      if (isStopMessage(message)) resolve('everything');
    });
    process.on('disconnect', () => resolve('everything'));
  });
}

/** Tells the process that started this one, if any, where it listens. */
export function sayReady(url: string): void {
  process.send?.({ type: 'ready', url });
}

/** Ends this process with code 0 when `close` has finished, and in any case after `graceMs`. */
export async function endAfter(close: () => Promise<void>, graceMs: number): Promise<never> {
  const timer = setTimeout(() => {
    console.error(`godwit: did not end within ${graceMs} ms; leaving at once.`);
    process.exit(1);
  }, graceMs);
  await close();
  clearTimeout(timer);
  process.exit(0);
}
