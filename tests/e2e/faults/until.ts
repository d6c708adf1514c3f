const WAIT_MS = 20_000;
const LOOK_MS = 20;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves with what `look` finds. Rejects after `timeoutMs`. */
export async function until<T>(
  what: string,
  look: () => T | null | Promise<T | null>,
  timeoutMs = WAIT_MS,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadlineMs) throw new Error(`never: ${what}`);
    await pause(LOOK_MS);
  }
}
