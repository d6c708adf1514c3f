/** Calls `onTick` every `intervalMs`, hidden tab or not, until the returned function is called. */
export function startTicker(intervalMs: number, onTick: () => void): () => void {
  const worker = new Worker(new URL('./tick-worker.ts', import.meta.url), { type: 'module' });
  let fallback: ReturnType<typeof setInterval> | undefined;
  worker.onmessage = onTick;
  worker.onerror = () => {
    fallback ??= setInterval(onTick, intervalMs);
  };
  worker.postMessage({ intervalMs });
  return () => {
    worker.terminate();
    clearInterval(fallback);
  };
}
