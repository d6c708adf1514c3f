import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BACKOFF_BASE_MS, BACKOFF_MAX_MS } from '../limits.js';
import { backoffMs } from './backoff.js';

it('waits longer each time, within its bounds, never in step with others', () => {
  expect([0, 1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, 0.5))).toEqual([
    187.5, 375, 750, 1500, 3000, 3000,
  ]);
  expect(backoffMs(3, 0)).not.toBe(backoffMs(3, 0.9));
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const waitMs = backoffMs(attempt, random);
      expect(waitMs).toBeGreaterThanOrEqual(BACKOFF_BASE_MS / 2);
      expect(waitMs).toBeLessThanOrEqual(BACKOFF_MAX_MS);
    }),
  );
});
