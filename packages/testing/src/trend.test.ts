import { describe, expect, it } from 'vitest';
import { drift, median, theilSenSlope } from './trend.js';

const series = (values: readonly number[]) => values.map((y, x) => ({ x, y }));

describe('the median', () => {
  it('is the middle of an odd number and the mean of the middle two of an even one', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 9])).toBe(3);
  });
});

describe('the trend of a series', () => {
  it('is its slope', () => {
    expect(theilSenSlope(series([10, 13, 16, 19]))).toBe(3);
  });

  it('is told through outliers that a mean would follow', () => {
    const flat = series([5, 5, 5, 900, 5, 5, 5, 5, 700, 5]);
    expect(theilSenSlope(flat)).toBe(0);
    const rising = series([0, 1, 2, -500, 4, 5, 6, 7, 800, 9]);
    expect(theilSenSlope(rising)).toBeCloseTo(1);
  });

  it('shows a slow leak under noise', () => {
    const noise = [3, -2, 1, -3, 2, 0, -1, 3, -2, 1];
    const { level, change } = drift(series(noise.map((value, x) => 100 + value + x)));
    expect(level).toBeGreaterThan(100);
    expect(change).toBeGreaterThan(6);
    expect(change).toBeLessThan(12);
  });

  it('is significant when values rise throughout, and not when they go to and fro or stand still', () => {
    const rising = Array.from({ length: 20 }, (_, x) => x + (x % 3) * 2);
    expect(drift(series(rising)).significance).toBeGreaterThan(2.33);
    expect(drift(series(rising.map((value) => -value))).significance).toBeLessThan(-2.33);
    const sawtooth = Array.from({ length: 20 }, (_, x) => 4 + ((x * 7) % 5) * 6);
    expect(Math.abs(drift(series(sawtooth)).significance)).toBeLessThan(2.33);
    expect(drift(series(rising.map(() => 7))).significance).toBe(0);
  });

  it('uses the distance between positions, however they are spaced', () => {
    expect(
      drift([
        { x: 0, y: 1 },
        { x: 10, y: 2 },
        { x: 100, y: 11 },
      ]).change,
    ).toBeCloseTo(10);
  });
});
