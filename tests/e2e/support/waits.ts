import { sleep } from './scene.js';

const LOOK_MS = 100;
const PROGRESS_MS = 5_000;

/** The result of the work. Rejects after `timeoutMs`; the work itself goes on. */
export async function within<T>(what: string, timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not within ${timeoutMs} ms: ${what}`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Resolves once `missing` answers null: nothing. Prints now and then what is missing, and rejects with it after
 * `timeoutMs`, also when the last look itself comes to no end.
 */
export async function eventually(
  what: string,
  timeoutMs: number,
  missing: () => Promise<string | null>,
): Promise<void> {
  const startedAtMs = Date.now();
  let told = 0;
  let last = 'nothing was seen yet';
  for (;;) {
    const elapsedMs = Date.now() - startedAtMs;
    if (elapsedMs >= timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}: ${last}`);
    const found = await within(`a look at: ${what} (before: ${last})`, timeoutMs - elapsedMs, missing());
    if (found === null) return;
    last = found;
    if (elapsedMs >= (told + 1) * PROGRESS_MS) {
      told = Math.floor(elapsedMs / PROGRESS_MS);
      process.stdout.write(`${what}: after ${(elapsedMs / 1_000).toFixed(0)} s ${last}\n`);
    }
    await sleep(LOOK_MS);
  }
}
