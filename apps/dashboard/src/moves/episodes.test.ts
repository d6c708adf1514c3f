import { expect, test } from 'vitest';
import type { GapReport } from '@godwit/protocol';
import type { Migration, MigrationStatus } from '../api/snapshot.js';
import { HISTORY_ROWS_MAX, REPORT_WAIT_MS } from '../limits.js';
import {
  isSettled,
  migrationsRead,
  moveMeasured,
  moveRequested,
  moveStarted,
  noMoves,
  runningEpisode,
} from './episodes.js';

const migration = (id: string, status: MigrationStatus): Migration => ({
  id,
  status,
  target: 'node-b',
  progress: { moved: 0, total: 2 },
  connections: [],
});
const report = (moveId: string): GapReport => ({
  moveId,
  frameGapMsMax: 41,
  frameGapBeforeMsMax: 40,
  packetsLost: 0,
  freezeCount: 0,
  concealedSamples: 0,
  keyFramesDecoded: 0,
  pliCount: 0,
  hiddenMs: 0,
  windowMs: 3_000,
  subscribers: 1,
});

test('what ended before the page looked is history without a mark', () => {
  const moves = migrationsRead(noMoves, [migration('old', 'completed')], 10);
  expect(moves.episodes[0]?.startedMs).toBeNull();
  expect(isSettled(moves.episodes[0]!, 10)).toBe(true);
});

test('the mark is the moment at which the first participant was told', () => {
  let moves = moveRequested(noMoves, 'm', 100);
  moves = moveStarted(moves, '1', 180);
  moves = moveStarted(moves, '2', 190);
  expect(moves.episodes[0]).toMatchObject({ startedMs: 180, moveIds: ['1', '2'] });
});

test('a move that somebody else asked for claims the moves that began before it was known', () => {
  let moves = migrationsRead(noMoves, [], 0);
  moves = moveStarted(moves, '1', 500);
  moves = migrationsRead(moves, [migration('m', 'running')], 900);
  expect(moves.episodes[0]).toMatchObject({ startedMs: 500, moveIds: ['1'] });
  expect(moves.unclaimed).toEqual([]);
});

test('the verdict waits for every report, but not for ever', () => {
  let moves = moveRequested(migrationsRead(noMoves, [], 0), 'm', 100);
  moves = moveStarted(moveStarted(moves, '1', 110), '2', 120);
  moves = migrationsRead(moves, [migration('m', 'completed')], 1_000);
  expect(runningEpisode(moves)).toBeNull();
  moves = moveMeasured(moves, report('1'));
  expect(isSettled(moves.episodes[0]!, 1_100)).toBe(false);
  expect(isSettled(moves.episodes[0]!, 1_000 + REPORT_WAIT_MS)).toBe(true);
  expect(isSettled(moveMeasured(moves, report('2')).episodes[0]!, 1_100)).toBe(true);
});

test('a late report goes to its own move, not to the one that runs now', () => {
  let moves = moveRequested(migrationsRead(noMoves, [], 0), 'm1', 100);
  moves = moveStarted(moves, '1', 110);
  moves = migrationsRead(moves, [migration('m1', 'completed')], 1_000);
  moves = moveRequested(moves, 'm2', 1_500);
  moves = moveMeasured(moves, report('1'));
  expect(moves.episodes.map((one) => one.reports.length)).toEqual([1, 0]);
});

test('a report on a move that nobody knows changes nothing', () => {
  const moves = moveRequested(noMoves, 'm', 0);
  expect(moveMeasured(moves, report('9'))).toBe(moves);
});

test('history is bounded', () => {
  let moves = noMoves;
  for (let index = 0; index < HISTORY_ROWS_MAX + 5; index += 1)
    moves = moveRequested(moves, String(index), index);
  expect(moves.episodes.length).toBe(HISTORY_ROWS_MAX);
  expect(moves.episodes.at(-1)?.migration.id).toBe(String(HISTORY_ROWS_MAX + 4));
});
