const UNTIL_TIMEOUT_MS = 10_000;
const UNTIL_PAUSE_MS = 2;

/** Lets the event loop turn until the condition holds. Rejects with `what` when it never does. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + UNTIL_TIMEOUT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await pause();
  }
}

/** Some turns of the event loop, so that datagrams on the way arrive. */
export async function pause(ms = UNTIL_PAUSE_MS): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
