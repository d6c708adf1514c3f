import type { GapReport } from '@godwit/protocol';
import { hasEnded, type Migration } from '../api/snapshot.js';
import { HISTORY_ROWS_MAX, REPORT_WAIT_MS, REPORTS_MAX } from '../limits.js';

/** One migration as this page lived through it. Times are ms of the page's clock. */
export interface Episode {
  readonly migration: Migration;
  /** When it began here; null when it was over before this page looked. */
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** Moves of this page's own participants that belong to it. */
  readonly moveIds: readonly string[];
  readonly reports: readonly GapReport[];
}

export interface Moves {
  /** Oldest first. */
  readonly episodes: readonly Episode[];
  /** Moves that began before the roster named their migration. */
  readonly unclaimed: readonly { readonly moveId: string; readonly atMs: number }[];
  /** False until the first roster came: what has ended by then is history. */
  readonly primed: boolean;
}

export const noMoves: Moves = { episodes: [], unclaimed: [], primed: false };

/** The server accepted a request for a move: it is shown at once, before the roster names it. */
export function moveRequested(moves: Moves, migrationId: string, nowMs: number): Moves {
  if (moves.episodes.some((one) => one.migration.id === migrationId)) return moves;
  const migration: Migration = {
    id: migrationId,
    status: 'pending',
    target: null,
    progress: { moved: 0, total: 0 },
    connections: [],
  };
  return begin(moves, migration, nowMs);
}

/** A roster arrived. */
export function migrationsRead(moves: Moves, migrations: readonly Migration[], nowMs: number): Moves {
  let next = moves;
  for (const migration of migrations) {
    const known = next.episodes.find((one) => one.migration.id === migration.id);
    if (known !== undefined) {
      const endedMs = known.endedMs ?? (hasEnded(migration) && known.startedMs !== null ? nowMs : null);
      next = replace(next, { ...known, migration, endedMs });
    } else if (!moves.primed && hasEnded(migration)) {
      next = add(next, { migration, startedMs: null, endedMs: null, moveIds: [], reports: [] });
    } else {
      next = begin(next, migration, nowMs);
    }
  }
  return { ...next, primed: true };
}

/** A participant of this page was told of its new address. */
export function moveStarted(moves: Moves, moveId: string, nowMs: number): Moves {
  const running = moves.episodes.findLast((one) => one.startedMs !== null && one.endedMs === null);
  if (running === undefined) {
    return { ...moves, unclaimed: [...moves.unclaimed, { moveId, atMs: nowMs }].slice(-REPORTS_MAX) };
  }
  // The first of them is the moment that people could feel: the mark in the chart goes there.
  const startedMs = running.moveIds.length === 0 ? nowMs : running.startedMs;
  return replace(moves, { ...running, startedMs, moveIds: [...running.moveIds, moveId] });
}

/** A participant of this page measured its move. Reports on moves that nobody knows are dropped. */
export function moveMeasured(moves: Moves, report: GapReport): Moves {
  const episode = moves.episodes.findLast((one) => one.moveIds.includes(report.moveId));
  if (episode === undefined) return moves;
  return replace(moves, { ...episode, reports: [...episode.reports, report].slice(-REPORTS_MAX) });
}

/** Whether everything that will be known is known, so that a verdict can be given. */
export function isSettled(episode: Episode, nowMs: number): boolean {
  if (!hasEnded(episode.migration)) return false;
  if (episode.endedMs === null || episode.reports.length >= episode.moveIds.length) return true;
  return nowMs >= episode.endedMs + REPORT_WAIT_MS;
}

/** The migration under way, if any. */
export function runningEpisode(moves: Moves): Episode | null {
  return moves.episodes.findLast((one) => !hasEnded(one.migration)) ?? null;
}

/** Where an episode moves people to, as soon as the server says so. */
export function targetOf(migration: Migration): string | null {
  return migration.target ?? migration.connections.find((one) => one.to !== null)?.to ?? null;
}

function begin(moves: Moves, migration: Migration, nowMs: number): Moves {
  const startedMs = moves.unclaimed[0]?.atMs ?? nowMs;
  const endedMs = hasEnded(migration) ? nowMs : null;
  const moveIds = moves.unclaimed.map((one) => one.moveId);
  return add({ ...moves, unclaimed: [] }, { migration, startedMs, endedMs, moveIds, reports: [] });
}

function add(moves: Moves, episode: Episode): Moves {
  return { ...moves, episodes: [...moves.episodes, episode].slice(-HISTORY_ROWS_MAX) };
}

function replace(moves: Moves, episode: Episode): Moves {
  const episodes = moves.episodes.map((one) => (one.migration.id === episode.migration.id ? episode : one));
  return { ...moves, episodes };
}
