import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Call } from '../call/call.js';
import { CHART_FOCUS_SPAN_MS, CHART_INTERVAL_MS, CHART_SPAN_MS } from '../limits.js';
import { targetOf, type Episode } from '../moves/episodes.js';
import { GapPlot, type MoveMark, type PlotColours, type PlotView } from './gap-plot.js';
import { nodeColour } from './node-colour.js';

interface Props {
  readonly call: Call;
  /** A past move to look at; null shows the time up to now. */
  readonly focus: Episode | null;
  readonly onLive: () => void;
}

/** The live chart of frame gaps, each move marked. */
export function GapChart({ call, focus, onLive }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const entries = call.board.entries.value;
  const focusMs = focus?.startedMs ?? null;
  useLayoutEffect(() => {
    const parent = holder.current;
    if (parent === null) return undefined;
    const plot = new GapPlot(parent, call.board, entries, readColours(call));
    const draw = (): void => plot.draw(viewOf(call, focusMs, performance.now()), readColours(call));
    const observer = new ResizeObserver(() => {
      plot.resize(parent.clientWidth, parent.clientHeight);
      draw();
    });
    observer.observe(parent);
    const timer = setInterval(draw, drawIntervalMs());
    return () => {
      clearInterval(timer);
      observer.disconnect();
      plot.close();
    };
  }, [call, entries, focusMs]);
  return (
    <div class="chart">
      <div
        class="chart-plot"
        ref={holder}
        role="img"
        aria-label="Time between two frames of each received video"
      />
      {entries.length === 0 && <p class="chart-empty">The chart begins with the first received video.</p>}
      <ul class="legend">
        {entries
          .filter((entry) => entry.endedMs === null)
          .map((entry, index) => (
            <li key={entry.series.key}>
              <span class={index === 0 ? 'legend-line' : 'legend-line dashed'} aria-hidden="true" />
              {entry.series.label}
            </li>
          ))}
        <li class="legend-note">line: largest gap in 250 ms, dots: every frame</li>
        {focusMs !== null && (
          <li>
            <button type="button" class="button small" onClick={onLive}>
              Back to now
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}

/** Who asked for less motion gets a chart that steps once a second. */
function drawIntervalMs(): number {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 1_000 : CHART_INTERVAL_MS;
}

function viewOf(call: Call, focusMs: number | null, nowMs: number): PlotView {
  const colours = readColours(call);
  const marks: MoveMark[] = call.moves.value.episodes.flatMap((episode) => {
    if (episode.startedMs === null) return [];
    const target = targetOf(episode.migration);
    const colour = target === null ? colours.ink : colours.ofNode(target);
    const label = target === null ? 'move' : `→ ${target}`;
    return [{ atMs: episode.startedMs, endedMs: episode.endedMs, label, colour }];
  });
  if (focusMs === null) return { fromMs: nowMs - CHART_SPAN_MS, toMs: nowMs, zeroMs: nowMs, marks };
  const half = CHART_FOCUS_SPAN_MS / 2;
  return { fromMs: focusMs - half, toMs: focusMs + half, zeroMs: focusMs, marks };
}

/** The colours of the style sheet, as the theme has them now: a canvas knows no custom properties. */
function readColours(call: Call): PlotColours {
  const style = getComputedStyle(document.documentElement);
  const read = (property: string): string => style.getPropertyValue(property).trim();
  const nodeIds = call.snapshot.value?.nodes.map((one) => one.id) ?? [];
  return {
    ink: read('--ink'),
    faint: read('--ink-faint'),
    grid: read('--grid'),
    ground: read('--surface'),
    ofNode: (nodeId) => read(nodeColour(nodeId, nodeIds)),
  };
}
