import { NODE_HEARTBEAT_INTERVAL_MS } from '@godwit/protocol';
import { TICK_INTERVAL_MS } from './limits.js';
import type { NodeContext } from './node-context.js';

export function startClockwork(clockMs: () => number, tick: (nowMs: number) => void): NodeJS.Timeout {
  return setInterval(() => {
    tick(clockMs());
  }, TICK_INTERVAL_MS);
}

/** Tells control that this node lives. Load is the share of one core that the process used since the last beat. */
export function startHeartbeat(context: NodeContext, isStopping: () => boolean): NodeJS.Timeout {
  let before = process.cpuUsage();
  return setInterval(() => {
    const used = process.cpuUsage(before);
    before = process.cpuUsage();
    const owned = context.transports.owned().length;
    const load = (used.user + used.system) / 1_000 / NODE_HEARTBEAT_INTERVAL_MS;
    context.report({ event: 'heartbeat', transports: owned, load, stopping: isStopping() });
  }, NODE_HEARTBEAT_INTERVAL_MS);
}
