import { median } from './trend.js';

/** One figure of two neighbouring windows: of one without what is examined, and of one with it. */
export interface Pair {
  readonly sham: number;
  readonly real: number;
}

/** Makes pairs of windows that took turns, a sham first. Throws when they did not. */
export function pairsOf<W>(
  windows: readonly W[],
  isSham: (window: W) => boolean,
  figure: (window: W) => number,
): Pair[] {
  const pairs: Pair[] = [];
  for (let at = 0; at < windows.length; at += 2) {
    const [sham, real] = windows.slice(at, at + 2);
    if (sham === undefined || real === undefined || !isSham(sham) || isSham(real))
      throw new Error(`windows ${at} and ${at + 1} are not a sham and what it is the sham of`);
    pairs.push({ sham: figure(sham), real: figure(real) });
  }
  return pairs;
}

/**
 * By how much the real windows exceed their shams: the median over the pairs of real minus sham; NaN of no pairs.
 *
 * Why the median: a machine that stalls once makes a figure of one window ten times as large, so that the maxima of a few
 * windows are ruled by chance, and differ even where both kinds are alike. What the real windows always cost shifts every
 * difference, and the median with them; what strikes fewer than half of the pairs leaves it where it was. Why pairs: how busy
 * a machine is changes slowly, and neighbours have it in common.
 */
export function medianExcess(pairs: readonly Pair[]): number {
  return median(pairs.map(({ sham, real }) => real - sham));
}

/** Losses come in bursts, whose sizes differ that much between windows that are alike. */
const BURST_FACTOR = 4;

/**
 * Whether real windows lost what their shams do not explain: in every pair more than the sham, or in one window more than
 * some times what any sham lost. Where no sham loses anything, as on a quiet machine, one loss is beyond them. So are no pairs.
 */
export function isBeyondShams(pairs: readonly Pair[]): boolean {
  const worst = (kind: keyof Pair): number => Math.max(0, ...pairs.map((pair) => pair[kind]));
  return worst('real') > BURST_FACTOR * worst('sham') || pairs.every(({ sham, real }) => real > sham);
}
