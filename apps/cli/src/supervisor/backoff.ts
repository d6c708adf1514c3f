import { HEALTHY_AFTER_MS, RESTART_DELAY_MAX_MS, RESTART_DELAY_MIN_MS } from '../limits.js';

/** How often in a row a child has died young. */
export interface RestartHistory {
  readonly failures: number;
}
export const NO_FAILURES: RestartHistory = { failures: 0 };

/** The wait before the next start of a child that lived for `livedMs`; doubles with each early death. */
export function nextRestart(
  history: RestartHistory,
  livedMs: number,
): { readonly delayMs: number; readonly history: RestartHistory } {
  const failures = livedMs >= HEALTHY_AFTER_MS ? 1 : history.failures + 1;
  const delayMs = Math.min(RESTART_DELAY_MAX_MS, RESTART_DELAY_MIN_MS * 2 ** (failures - 1));
  return { delayMs, history: { failures } };
}
