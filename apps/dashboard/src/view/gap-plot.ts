import uPlot from 'uplot';
import type { BoardEntry, GapBoard } from '../gaps/board.js';
import {
  averageGapMs,
  blankSpans,
  firstAfter,
  freezeThresholdMs,
  largestGaps,
  type Span,
} from '../gaps/series.js';
import { CHART_BUCKET_MS } from '../limits.js';
import { colourStops } from './owner-colours.js';

/** A move as the chart marks it. */
export interface MoveMark {
  readonly atMs: number;
  readonly endedMs: number | null;
  readonly label: string;
  readonly colour: string;
}

/** What one drawing of the chart shows. `zeroMs` is where the time axis says 0. */
export interface PlotView {
  readonly fromMs: number;
  readonly toMs: number;
  readonly zeroMs: number;
  readonly marks: readonly MoveMark[];
}

export interface PlotColours {
  readonly ink: string;
  readonly faint: string;
  readonly grid: string;
  readonly ground: string;
  readonly ofNode: (nodeId: string) => string;
}

/** Frames drawn one by one; more than that many say no more than the line does. */
const DOTS_MAX = 4_000;
/** The scale never ends below this, so that a calm picture looks calm. */
const SCALE_MIN_MS = 220;
/** Frames per video that the expected frame time is taken from. */
const AVERAGE_FRAMES = 60;
/** A 30 fps picture, before any frame was seen. */
const FRAME_MS_DEFAULT = 33.3;
const FONT = '12px system-ui, sans-serif';

/** The chart of frame gaps: a line per received video, coloured by the node that carries it, a dot per frame. */
export class GapPlot {
  readonly #plot: uPlot;
  readonly #board: GapBoard;
  readonly #entries: readonly BoardEntry[];
  #view: PlotView = { fromMs: 0, toMs: 1, zeroMs: 1, marks: [] };
  #colours: PlotColours;

  constructor(parent: HTMLElement, board: GapBoard, entries: readonly BoardEntry[], colours: PlotColours) {
    this.#board = board;
    this.#entries = entries;
    this.#colours = colours;
    this.#plot = new uPlot(this.#options(parent), [[0], ...entries.map(() => [null])], parent);
  }

  resize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
  }

  draw(view: PlotView, colours: PlotColours): void {
    this.#view = view;
    this.#colours = colours;
    // Buckets lie on fixed multiples of time: a value does not change while it wanders through the chart.
    const fromMs = Math.floor(view.fromMs / CHART_BUCKET_MS) * CHART_BUCKET_MS;
    const columns = this.#entries.map((entry) => {
      const toMs = Math.min(view.toMs, entry.endedMs ?? Infinity);
      const buckets = largestGaps(entry.series, fromMs, Math.max(fromMs, toMs), CHART_BUCKET_MS);
      return blankSpans(buckets, this.#board.hidden, fromMs, CHART_BUCKET_MS);
    });
    const count = Math.ceil((view.toMs - fromMs) / CHART_BUCKET_MS);
    const xs = Array.from({ length: count }, (_, index) => this.#x(fromMs + (index + 0.5) * CHART_BUCKET_MS));
    const padded = columns.map((column) => xs.map((_, index) => column[index] ?? null));
    this.#plot.setData([xs, ...padded], false);
    this.#plot.setScale('x', { min: this.#x(view.fromMs), max: this.#x(view.toMs) });
  }

  close(): void {
    this.#plot.destroy();
  }

  #x(atMs: number): number {
    return (atMs - this.#view.zeroMs) / 1000;
  }

  #options(parent: HTMLElement): uPlot.Options {
    const axis = { font: FONT, stroke: () => this.#colours.faint, ticks: { show: false } };
    const grid = { stroke: () => this.#colours.grid, width: 1 };
    return {
      width: parent.clientWidth,
      height: parent.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      padding: [18, 12, 0, 0],
      scales: { x: { time: false, auto: false }, y: { range: (_u, _min, max) => [0, this.#top(max)] } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 26,
          space: 70,
          values: (_u, ticks) => ticks.map(secondsLabel),
        },
        {
          ...axis,
          grid,
          size: 56,
          space: 34,
          values: (_u, ticks) => ticks.map((tick) => `${String(tick)} ms`),
        },
      ],
      series: [
        {},
        ...this.#entries.map((entry, index) => ({
          width: 2,
          points: { show: false },
          stroke: (plot: uPlot) => this.#stroke(plot, entry),
          ...(index === 0 ? {} : { dash: [6, 4] }),
        })),
      ],
      hooks: {
        drawClear: [(plot) => this.#drawGround(plot)],
        drawSeries: [(plot, index) => this.#drawDots(plot, index)],
        draw: [(plot) => this.#drawMarks(plot)],
      },
    };
  }

  #top(max: number): number {
    return Math.max(SCALE_MIN_MS, (Number.isFinite(max) ? max : 0) * 1.2);
  }

  /** A gradient with hard edges: the colour of each owner for as long as it owned. */
  #stroke(plot: uPlot, entry: BoardEntry): CanvasGradient | string {
    const { left, width } = plot.bbox;
    const changes = this.#board.ownersOf(entry.receiverKey);
    if (changes.length === 0 || width <= 0) return this.#colours.ink;
    const gradient = plot.ctx.createLinearGradient(left, 0, left + width, 0);
    for (const stop of colourStops(changes, this.#view)) {
      const colour = this.#colours.ofNode(stop.nodeId);
      gradient.addColorStop(stop.from, colour);
      gradient.addColorStop(stop.to, colour);
    }
    return gradient;
  }

  /** Beneath everything: hidden time, the span of each move, and from where on a gap is a freeze. */
  #drawGround(plot: uPlot): void {
    const { ctx } = plot;
    ctx.save();
    clip(plot);
    for (const span of this.#board.hidden) this.#drawHidden(plot, span);
    for (const mark of this.#view.marks) {
      ctx.globalAlpha = 0.12;
      ctx.fillStyle = mark.colour;
      fillSpan(plot, this.#x(mark.atMs), this.#x(mark.endedMs ?? this.#view.toMs));
    }
    ctx.restore();
    const series = this.#entries.map((entry) => entry.series);
    const threshold = freezeThresholdMs(averageGapMs(series, AVERAGE_FRAMES) ?? FRAME_MS_DEFAULT);
    this.#drawThreshold(plot, threshold);
  }

  #drawHidden(plot: uPlot, span: Span): void {
    const from = Math.max(this.#x(span.fromMs), plot.scales.x?.min ?? 0);
    const to = Math.min(this.#x(span.toMs ?? this.#view.toMs), plot.scales.x?.max ?? 0);
    if (to <= from) return;
    plot.ctx.globalAlpha = 1;
    plot.ctx.fillStyle = this.#colours.grid;
    fillSpan(plot, from, to);
    this.#text(
      plot,
      'not measured',
      plot.valToPos(from, 'x', true) + 6 * devicePixelRatio,
      plot.bbox.top + plot.bbox.height - 8 * devicePixelRatio,
    );
  }

  #drawThreshold(plot: uPlot, thresholdMs: number): void {
    const { ctx, bbox } = plot;
    const y = plot.valToPos(thresholdMs, 'y', true);
    if (y < bbox.top) return;
    ctx.save();
    ctx.strokeStyle = this.#colours.faint;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
    this.#text(plot, 'a freeze begins here', bbox.left + 6 * devicePixelRatio, y + 13 * devicePixelRatio);
  }

  #drawDots(plot: uPlot, seriesIndex: number): void {
    const entry = this.#entries[seriesIndex - 1];
    if (entry === undefined) return;
    const { ctx } = plot;
    const { endsMs, gapsMs } = entry.series;
    const first = Math.max(firstAfter(endsMs, this.#view.fromMs), endsMs.length - DOTS_MAX);
    const size = 2 * devicePixelRatio;
    ctx.save();
    clip(plot);
    ctx.globalAlpha = 0.4;
    ctx.fillStyle = this.#stroke(plot, entry);
    for (let index = first; index < endsMs.length; index += 1) {
      const endMs = endsMs[index] ?? 0;
      if (endMs > this.#view.toMs) break;
      const x = plot.valToPos(this.#x(endMs), 'x', true);
      ctx.fillRect(x - size / 2, plot.valToPos(gapsMs[index] ?? 0, 'y', true) - size / 2, size, size);
    }
    ctx.restore();
  }

  #drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    for (const mark of this.#view.marks) {
      const x = plot.valToPos(this.#x(mark.atMs), 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.save();
      ctx.setLineDash([]);
      ctx.strokeStyle = mark.colour;
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top - 4 * devicePixelRatio);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.restore();
      this.#text(plot, mark.label, x, bbox.top - 7 * devicePixelRatio, mark.colour);
    }
  }

  /** Writes a label, kept inside the plot. */
  #text(plot: uPlot, text: string, x: number, y: number, colour = this.#colours.faint): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.font = `${String(11 * devicePixelRatio)}px system-ui, sans-serif`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'alphabetic';
    ctx.fillStyle = colour;
    const end = bbox.left + bbox.width - ctx.measureText(text).width;
    ctx.fillText(text, Math.max(bbox.left, Math.min(x, end)), y);
    ctx.restore();
  }
}

function secondsLabel(seconds: number): string {
  if (seconds === 0) return 'now';
  return `${seconds > 0 ? '+' : '−'}${String(Math.abs(seconds))} s`;
}

function clip(plot: uPlot): void {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.beginPath();
  plot.ctx.rect(left, top, width, height);
  plot.ctx.clip();
}

function fillSpan(plot: uPlot, from: number, to: number): void {
  const x = plot.valToPos(from, 'x', true);
  plot.ctx.fillRect(x, plot.bbox.top, plot.valToPos(to, 'x', true) - x, plot.bbox.height);
}
