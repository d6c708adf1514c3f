import { describe, expect, it } from 'vitest';
import { HEALTHY_AFTER_MS, RESTART_DELAY_MAX_MS, RESTART_DELAY_MIN_MS } from '../limits.js';
import { NO_FAILURES, nextRestart } from './backoff.js';

describe('the wait before a child is started again', () => {
  it('doubles with each early death, up to a bound', () => {
    const delays: number[] = [];
    let history = NO_FAILURES;
    for (let death = 0; death < 10; death++) {
      const restart = nextRestart(history, 100);
      delays.push(restart.delayMs);
      history = restart.history;
    }
    expect(delays.slice(0, 3)).toEqual([
      RESTART_DELAY_MIN_MS,
      RESTART_DELAY_MIN_MS * 2,
      RESTART_DELAY_MIN_MS * 4,
    ]);
    expect(delays.at(-1)).toBe(RESTART_DELAY_MAX_MS);
  });

  it('starts over after a healthy life', () => {
    expect(nextRestart({ failures: 6 }, HEALTHY_AFTER_MS).delayMs).toBe(RESTART_DELAY_MIN_MS);
  });
});
