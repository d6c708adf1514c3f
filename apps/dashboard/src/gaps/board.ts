import { signal, type ReadonlySignal } from '@preact/signals';
import { GAP_HISTORY_MS, MARKS_MAX } from '../limits.js';
import { createSeries, suspendSeries, type GapSeries, type Span } from './series.js';
import { watchFrames } from './watch.js';

/** Frame gaps of one received video, and which participant of this page receives it. */
export interface BoardEntry {
  readonly series: GapSeries;
  readonly receiverKey: string;
  /** When the video ended; null while it runs. */
  endedMs: number | null;
}

/** From when on a node owned a participant's transport. */
export interface OwnerChange {
  readonly fromMs: number;
  readonly nodeId: string;
}

/** Everything that the chart draws, except the moves. */
export interface GapBoard {
  readonly entries: ReadonlySignal<readonly BoardEntry[]>;
  readonly hidden: readonly Span[];
  watch(video: HTMLVideoElement, key: string, receiverKey: string, label: string): () => void;
  /** The sender of a watched video stopped it, or started it again. */
  suspend(key: string, suspended: boolean): void;
  /** Notes who owns a participant's transport now. */
  noteOwner(receiverKey: string, nodeId: string, atMs: number): void;
  ownersOf(receiverKey: string): readonly OwnerChange[];
  close(): void;
}

export function createGapBoard(): GapBoard {
  const entries = signal<readonly BoardEntry[]>([]);
  const owners = new Map<string, OwnerChange[]>();
  const hidden: Span[] = [];
  const onVisibility = (): void =>
    noteVisibility(hidden, document.visibilityState === 'hidden', performance.now());
  onVisibility();
  document.addEventListener('visibilitychange', onVisibility);
  return {
    entries,
    hidden,
    watch: (video, key, receiverKey, label) => {
      const entry: BoardEntry = { series: createSeries(key, label), receiverKey, endedMs: null };
      const oldestMs = performance.now() - GAP_HISTORY_MS;
      entries.value = [...entries.value.filter((one) => (one.endedMs ?? Infinity) > oldestMs), entry];
      const stop = watchFrames(video, entry.series);
      return () => {
        stop();
        entry.endedMs = performance.now();
        entries.value = [...entries.value];
      };
    },
    suspend: (key, suspended) => {
      const entry = entries.value.findLast((one) => one.series.key === key);
      if (entry !== undefined) suspendSeries(entry.series, suspended);
    },
    noteOwner: (receiverKey, nodeId, atMs) => {
      const changes = owners.get(receiverKey) ?? [];
      if (changes.at(-1)?.nodeId === nodeId) return;
      owners.set(receiverKey, [...changes, { fromMs: atMs, nodeId }].slice(-MARKS_MAX));
    },
    ownersOf: (receiverKey) => owners.get(receiverKey) ?? [],
    close: () => document.removeEventListener('visibilitychange', onVisibility),
  };
}

function noteVisibility(spans: Span[], isHidden: boolean, nowMs: number): void {
  const last = spans.at(-1);
  const isOpen = last !== undefined && last.toMs === null;
  if (isHidden && !isOpen) spans.push({ fromMs: nowMs, toMs: null });
  if (!isHidden && last !== undefined && isOpen) last.toMs = nowMs;
  if (spans.length > MARKS_MAX) spans.shift();
}
