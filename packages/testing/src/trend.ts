/** One measured value, at a position of any unit (seconds, moves). */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The middle value; the mean of the two middle ones of an even number. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/**
 * Slope by Theil and Sen: the median of the slopes of all pairs. Up to 29 % of the points may be arbitrarily wrong (a
 * collection that came late, a page that was drawn) and it still tells the trend. NaN of fewer than two positions.
 */
export function theilSenSlope(points: readonly Point[]): number {
  const slopes: number[] = [];
  for (const [number, from] of points.entries()) {
    for (const to of points.slice(number + 1)) {
      if (to.x !== from.x) slopes.push((to.y - from.y) / (to.x - from.x));
    }
  }
  return median(slopes);
}

/**
 * Significance of a trend by Mann and Kendall, in standard deviations: how far the number of rising pairs exceeds that
 * of falling ones, against values without any trend (ties counted). Above 2.33 such values give it once in a hundred.
 */
export function mannKendall(points: readonly Point[]): number {
  const values = [...points].sort((a, b) => a.x - b.x).map(({ y }) => y);
  const count = values.length;
  let excess = 0;
  for (const [number, from] of values.entries()) {
    for (const to of values.slice(number + 1)) excess += Math.sign(to - from);
  }
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  const spread = (size: number): number => size * (size - 1) * (2 * size + 5);
  const variance = (spread(count) - [...ties.values()].reduce((total, size) => total + spread(size), 0)) / 18;
  return variance === 0 || excess === 0 ? 0 : (excess - Math.sign(excess)) / Math.sqrt(variance);
}

export interface Drift {
  /** Median of the values. */
  readonly level: number;
  /** Slope per unit of x. */
  readonly slope: number;
  /** What the slope adds up to from the first position to the last. */
  readonly change: number;
  /** By {@link mannKendall}. */
  readonly significance: number;
}

/** How a series moves as a whole, whatever single values do. */
export function drift(points: readonly Point[]): Drift {
  const positions = points.map(({ x }) => x);
  const slope = theilSenSlope(points);
  return {
    level: median(points.map(({ y }) => y)),
    slope,
    change: slope * (Math.max(...positions) - Math.min(...positions)),
    significance: mannKendall(points),
  };
}
