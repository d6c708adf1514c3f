import { expect, it } from 'vitest';
import { STANDSTILL_MS, TICK_INTERVAL_MS } from '../limits.js';
import { Standstill } from './standstill.js';

it('lets silence count from the moment at which the process runs again', () => {
  const standstill = new Standstill();
  expect(standstill.awakeSinceMs(1_000)).toBe(Number.NEGATIVE_INFINITY);
  expect(standstill.awakeSinceMs(1_000 + TICK_INTERVAL_MS)).toBe(Number.NEGATIVE_INFINITY);
  const wokeAtMs = 1_000 + TICK_INTERVAL_MS + STANDSTILL_MS + 1;
  expect(standstill.awakeSinceMs(wokeAtMs)).toBe(wokeAtMs);
  expect(standstill.awakeSinceMs(wokeAtMs + TICK_INTERVAL_MS)).toBe(wokeAtMs);
});
