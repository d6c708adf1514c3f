import { expect, test } from 'vitest';
import fc from 'fast-check';
import { tileColumns } from './tile-layout.js';

test('a wide box puts two tiles side by side, a tall one stacks them', () => {
  expect(tileColumns(2, 1200, 340)).toBe(2);
  expect(tileColumns(2, 360, 500)).toBe(1);
});

test('four tiles in a 16:9 box make a square', () => {
  expect(tileColumns(4, 1280, 720)).toBe(2);
});

test('a box without a size still gets a grid', () => {
  expect(tileColumns(5, 0, 0)).toBe(3);
  expect(tileColumns(0, 0, 0)).toBe(1);
});

test('there are never more columns than tiles', () => {
  const size = fc.integer({ min: -10, max: 4000 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), size, size, (count, width, height) => {
      const columns = tileColumns(count, width, height);
      expect(columns).toBeGreaterThanOrEqual(1);
      expect(columns).toBeLessThanOrEqual(Math.max(1, count));
    }),
  );
});
