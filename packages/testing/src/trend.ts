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

export interface Drift {
  /** Median of the values. */
  readonly level: number;
  /** Slope per unit of x. */
  readonly slope: number;
  /** What the slope adds up to from the first position to the last. */
  readonly change: number;
}

/** How a series moves as a whole, whatever single values do. */
export function drift(points: readonly Point[]): Drift {
  const positions = points.map(({ x }) => x);
  const slope = theilSenSlope(points);
  return {
    level: median(points.map(({ y }) => y)),
    slope,
    change: slope * (Math.max(...positions) - Math.min(...positions)),
  };
}
