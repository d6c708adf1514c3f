import { describe, expect, it } from 'vitest';
import { isBeyondShams, medianExcess, pairsOf } from './pairs.js';

interface Window {
  readonly kind: 'sham' | 'move';
  readonly gapMs: number;
}

const sham = (gapMs: number): Window => ({ kind: 'sham', gapMs });
const move = (gapMs: number): Window => ({ kind: 'move', gapMs });
const isSham = ({ kind }: Window): boolean => kind === 'sham';
const pairs = (windows: readonly Window[]) => pairsOf(windows, isSham, ({ gapMs }) => gapMs);

describe('pairs of windows', () => {
  it('are neighbours, the sham first', () => {
    expect(pairs([sham(1), move(2), sham(3), move(4)])).toEqual([
      { sham: 1, real: 2 },
      { sham: 3, real: 4 },
    ]);
  });

  it('are refused where windows did not take turns', () => {
    expect(() => pairs([move(2), sham(1)])).toThrow('windows 0 and 1');
    expect(() => pairs([sham(1), move(2), sham(3), sham(4)])).toThrow('windows 2 and 3');
    expect(() => pairs([sham(1), move(2), sham(3)])).toThrow('windows 2 and 3');
  });
});

describe('the median excess', () => {
  it('is what every real window costs beyond its sham, however the load drifts', () => {
    expect(medianExcess(pairs([sham(40), move(90), sham(60), move(110), sham(200), move(250)]))).toBe(50);
  });

  it('does not hear of a stall in fewer than half of the pairs', () => {
    const calm = [sham(40), move(41), sham(42), move(40), sham(39), move(40)];
    expect(medianExcess(pairs([...calm, sham(40), move(900), sham(41), move(700)]))).toBe(1);
    expect(medianExcess(pairs([...calm, sham(900), move(40)]))).toBeLessThanOrEqual(1);
  });

  it('is no number where there is nothing', () => {
    expect(medianExcess([])).toBeNaN();
  });
});

describe('losses of real windows', () => {
  const lost = (...pairs: readonly [sham: number, real: number][]) =>
    isBeyondShams(pairs.map(([sham, real]) => ({ sham, real })));

  it('are beyond the shams where these lose nothing, be it one', () => {
    expect(lost([0, 0], [0, 0], [0, 0])).toBe(false);
    expect(lost([0, 0], [0, 1], [0, 0])).toBe(true);
  });

  it('are within them where these lose alike', () => {
    expect(lost([3, 0], [0, 5], [0, 0])).toBe(false);
  });

  it('are beyond them by one burst that no sham comes near to, and by a little in each pair', () => {
    expect(lost([3, 0], [0, 500], [0, 0])).toBe(true);
    expect(lost([3, 5], [1, 2], [0, 1])).toBe(true);
  });

  it('are beyond them where nothing was measured', () => {
    expect(lost()).toBe(true);
  });
});
