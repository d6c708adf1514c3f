import { parseNodeSettings, startNode } from '@godwit/node';
import { endAfter, sayReady, untilAskedToStop } from '../lifetime.js';
import { DRAIN_GRACE_MS, STOP_GRACE_MS } from '../limits.js';

/** Runs one media node until it is asked to stop. Settings come from the environment. */
export async function node(): Promise<void> {
  const asked = untilAskedToStop();
  const running = await startNode(parseNodeSettings(process.env));
  sayReady(running.opsUrl);
  console.log(`node is up; operations on ${running.opsUrl}`);
  const reason = await asked;
  const drain = reason === 'drain';
  await endAfter(() => running.stop({ drain }), drain ? DRAIN_GRACE_MS : STOP_GRACE_MS);
}
