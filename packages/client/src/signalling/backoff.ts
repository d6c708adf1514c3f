import { BACKOFF_BASE_MS, BACKOFF_MAX_MS } from '../limits.js';

/**
 * Wait before attempt number `attempt` (from 0), ms: exponential with full jitter above half,
 * so that the clients of a restarted server do not return in one wave.
 */
export function backoffMs(attempt: number, random: number): number {
  const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempt, 16));
  return ceilingMs / 2 + (random * ceilingMs) / 2;
}
