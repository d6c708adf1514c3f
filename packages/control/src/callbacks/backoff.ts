import { CALLBACK_RETRY_MS, CALLBACK_RETRY_MS_MAX } from '../limits.js';

/**
 * Wait before the next attempt, after `attempts` that failed (from 1): doubled each time, with jitter above half of it, so
 * that what a receiver missed does not come back to it in one wave.
 */
export function retryAfterMs(attempts: number, random: number): number {
  const ceilingMs = Math.min(CALLBACK_RETRY_MS_MAX, CALLBACK_RETRY_MS * 2 ** Math.min(attempts - 1, 30));
  return Math.round(ceilingMs / 2 + (random * ceilingMs) / 2);
}
