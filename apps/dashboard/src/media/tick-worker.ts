// requestAnimationFrame stops and timers of the page slow down to one a second in a hidden tab; a worker's timer does
// neither, so the others in the call keep seeing the test picture move.
self.onmessage = (event: MessageEvent<{ intervalMs: number }>) => {
  setInterval(() => self.postMessage(null), event.data.intervalMs);
};
