import { drift, median } from '@godwit/testing';
import type { Vitals } from './vitals.js';

/** Vitals after a number of moves. */
export interface Sample {
  readonly moves: number;
  readonly vitals: Vitals;
}

/** A leak shows as growth; this share of the level over half of the run is noise of collectors and allocators. */
const GROWTH_SHARE_MAX = 0.05;
/** A series without a trend, such as one that goes up and down with each ICE generation, exceeds this once in a hundred. */
const SIGNIFICANCE_MIN = 2.33;
/** Below these a change is none, whatever its share: units are in the names. 0.25 MiB in 500 moves are 524 bytes a move. */
const GROWTH_FLOOR: readonly { readonly of: RegExp; readonly floor: number }[] = [
  { of: /MiB$/, floor: 0.25 },
  { of: /bytes$/i, floor: 262_144 },
  { of: /./, floor: 2 },
];

/**
 * What goes away some time after each move: as much of it is there as moves were made within that time, so that it follows
 * the speed of the machine. It has to be gone when the call has rested.
 */
const PASSING =
  /\.(held\.(moves_as_\w+|told_candidates|ufrags|datapath_bindings)|candidatePairs|localCandidates|remoteCandidates|statistics)$/;

/**
 * Pages of memory that the system has given: an allocator returns them when it likes and takes them again, so that their course
 * has dips. A leak shows as a new peak.
 */
const PEAKS = /\.residentMiB$/;

export interface Trend {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Of the second half of the run. */
  readonly level: number;
  readonly changePerHundredMoves: number;
  /** Over the second half; of resident memory its peak against that of the first half. */
  readonly change: number;
  readonly significance: number;
  /** Follows the number of moves within the last seconds: its trend tells nothing. */
  readonly isPassing: boolean;
  readonly isFlat: boolean;
}

/** The trend of each series over the second half of the run, by Theil and Sen. */
export function trendsOf(samples: readonly Sample[]): Trend[] {
  const half = samples.slice(Math.floor(samples.length / 2));
  const names = [...new Set(samples.flatMap(({ vitals }) => Object.keys(vitals)))];
  return names.map((name) => {
    const value = (sample: Sample | undefined): number => sample?.vitals[name] ?? Number.NaN;
    const { level, slope, change, significance } = drift(
      half.map((sample) => ({ x: sample.moves, y: value(sample) })),
    );
    const peak = (of: readonly Sample[]): number => Math.max(...of.map(value));
    const growth = PEAKS.test(name)
      ? peak(half) - peak(samples.slice(0, samples.length - half.length))
      : significance < SIGNIFICANCE_MIN
        ? 0
        : change;
    const floor = GROWTH_FLOOR.find(({ of }) => of.test(name))?.floor ?? 0;
    return {
      name,
      first: value(samples[0]),
      last: value(samples.at(-1)),
      level,
      changePerHundredMoves: slope * 100,
      change: PEAKS.test(name) ? growth : change,
      significance,
      isPassing: PASSING.test(name),
      isFlat: PASSING.test(name) || growth <= Math.max(floor, level * GROWTH_SHARE_MAX),
    };
  });
}

const number = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1);

/** The trends as a Markdown table. Series that are zero throughout are named below it. */
export function trendTable(trends: readonly Trend[]): string {
  const isZero = ({ first, last, level, change }: Trend): boolean =>
    first === 0 && last === 0 && level === 0 && change === 0;
  const rows = trends
    .filter((trend) => !isZero(trend))
    .map(
      ({ name, first, last, level, changePerHundredMoves, change, significance, isPassing, isFlat }) =>
        `| ${name} | ${number(first)} | ${number(last)} | ${number(level)} | ${number(changePerHundredMoves)} | ` +
        `${level === 0 ? number(change) : `${((change / level) * 100).toFixed(2)} %`} | ${significance.toFixed(1)} | ${isPassing ? 'passing' : isFlat ? 'flat' : '**grows**'} |`,
    );
  const zero = trends.filter(isZero).map(({ name }) => `\`${name}\``);
  return [
    '| series | first | last | level | per 100 moves | change | z | |',
    '| --- | --: | --: | --: | --: | --: | --: | --- |',
    ...rows,
    '',
    `Zero throughout: ${zero.join(', ')}.`,
  ].join('\n');
}

const CHART_WIDTH = 300;
const CHART_HEIGHT = 70;
const CHARTS_PER_ROW = 3;
const MARGIN = 26;

/** Small multiples: one line chart for each series, from zero. */
export function trendCharts(samples: readonly Sample[], names: readonly string[]): string {
  const last = samples.at(-1)?.moves ?? 1;
  const charts = names.map((name, at) => {
    const values = samples.map(({ vitals }) => vitals[name] ?? 0);
    const top = Math.max(...values) * 1.1 || 1;
    const points = samples
      .map(({ moves }, index) => {
        const x = (moves / last) * CHART_WIDTH;
        const y = CHART_HEIGHT - ((values[index] ?? 0) / top) * CHART_HEIGHT;
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      })
      .join(' ');
    const left = (at % CHARTS_PER_ROW) * (CHART_WIDTH + MARGIN) + MARGIN / 2;
    const above = Math.floor(at / CHARTS_PER_ROW) * (CHART_HEIGHT + MARGIN) + MARGIN;
    return (
      `<g transform="translate(${left},${above})"><text y="-5">${name}: ${number(median(values))}</text>` +
      `<rect width="${CHART_WIDTH}" height="${CHART_HEIGHT}" fill="#f4f4f4"/>` +
      `<polyline points="${points}" fill="none" stroke="#0b62a8" stroke-width="1.5"/></g>`
    );
  });
  const width = CHARTS_PER_ROW * (CHART_WIDTH + MARGIN);
  const height = Math.ceil(names.length / CHARTS_PER_ROW) * (CHART_HEIGHT + MARGIN) + MARGIN;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">\n` +
    `<rect width="${width}" height="${height}" fill="#fff"/>\n${charts.join('\n')}\n</svg>\n`
  );
}
