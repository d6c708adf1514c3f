import { describe, expect, it } from 'vitest';
import { HoleTracker } from './hole-tracker.js';
import { HOLE_PATIENCE_MS, HOLES_MAX } from './limits.js';

describe('holes of a stream', () => {
  it('close when the overtaken packet comes', () => {
    const holes = new HoleTracker();
    expect(holes.isWhole(0, () => false)).toBe(true);
    holes.add(0, 10, 2);
    expect(holes.isWhole(1, (index) => index === 10)).toBe(false);
    expect(holes.isWhole(2, (index) => index === 11)).toBe(true);
  });

  it('are losses when their time is over', () => {
    const holes = new HoleTracker();
    holes.add(0, 10, 1);
    expect(holes.isWhole(HOLE_PATIENCE_MS, () => false)).toBe(false);
    expect(holes.isWhole(HOLE_PATIENCE_MS + 1, () => false)).toBe(true);
  });

  it('are tracked up to a bound', () => {
    const holes = new HoleTracker();
    holes.add(0, 0, HOLES_MAX * 2);
    let asked = 0;
    holes.isWhole(0, () => {
      asked += 1;
      return false;
    });
    expect(asked).toBe(HOLES_MAX);
  });
});
