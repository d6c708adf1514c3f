/** Calls `read` again and again, never twice at once, `intervalMs()` after the last answer, until it is stopped. */
export function startPolling(
  read: () => Promise<void>,
  intervalMs: () => number,
): { now(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  let reading = false;
  const run = async (): Promise<void> => {
    clearTimeout(timer);
    if (stopped || reading) return;
    reading = true;
    await read();
    reading = false;
    if (!stopped) timer = setTimeout(() => void run(), intervalMs());
  };
  void run();
  return {
    now: () => void run(),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
