import { expect, test } from 'vitest';
import type { GapReport } from '@godwit/protocol';
import type { Migration, MovedConnection } from '../api/snapshot.js';
import { milliseconds, summarise, verdictOf } from './verdict.js';

const moved = (connectionId: string, changes: Partial<MovedConnection> = {}): MovedConnection => ({
  connectionId,
  outcome: 'completed',
  from: 'node-a',
  to: 'node-b',
  gapMs: null,
  failure: null,
  ...changes,
});
const migration = (connections: MovedConnection[], status: Migration['status'] = 'completed'): Migration => ({
  id: 'm',
  status,
  target: 'node-b',
  progress: { moved: connections.length, total: connections.length },
  connections,
});
const report = (changes: Partial<GapReport> = {}): GapReport => ({
  moveId: '1',
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
  ...changes,
});
const said = (...args: Parameters<typeof verdictOf>): string => {
  const verdict = verdictOf(...args);
  return [verdict.tone, verdict.headline, ...verdict.details].join(' | ');
};

test('a move that nobody felt', () => {
  expect(said(migration([moved('1'), moved('2')]), [report(), report({ frameGapMsMax: 35 })])).toBe(
    'calm | Moved 2 people from node-a to node-b. | Largest frame gap 41 ms, before the move 40 ms. | No packet lost, no freeze.',
  );
});

test('loss, freezes and filled-in sound are said', () => {
  const reports = [report({ packetsLost: 3, freezeCount: 1, concealedSamples: 960, frameGapMsMax: 410 })];
  expect(said(migration([moved('1')]), reports)).toBe(
    'uneasy | Moved 1 person from node-a to node-b. | Largest frame gap 410 ms, before the move 40 ms. | 3 packets lost, 1 freeze, 20 ms of sound filled in.',
  );
});

test('a gap within one frame of the time before is calm, beyond it uneasy', () => {
  expect(verdictOf(migration([moved('1')]), [report({ frameGapMsMax: 74 })]).tone).toBe('calm');
  expect(verdictOf(migration([moved('1')]), [report({ frameGapMsMax: 75 })]).tone).toBe('uneasy');
});

test('hidden time is said to be unmeasured', () => {
  const reports = [report({ frameGapMsMax: null, frameGapBeforeMsMax: null, hiddenMs: 1_240 })];
  expect(said(migration([moved('1')]), reports)).toBe(
    'plain | Moved 1 person from node-a to node-b. | No frame gap was measured. | No packet lost, no freeze. | 1.2 s were not measured while this tab was hidden.',
  );
});

test('somebody alone in the call learns why there is no figure', () => {
  expect(said(migration([moved('1')]), [])).toBe(
    'plain | Moved 1 person from node-a to node-b. | No frame gap was measured: this page received no video.',
  );
});

test('what only other devices measured is said to be theirs', () => {
  expect(verdictOf(migration([moved('1', { gapMs: 52 })]), []).details).toEqual([
    'Largest frame gap 52 ms, seen by other people in the call.',
  ]);
});

test('who could not be moved stays, with the reason', () => {
  const stays = moved('2', { outcome: 'failed', failure: 'path-not-proven' });
  const verdict = verdictOf(migration([moved('1'), stays], 'failed'), [report()]);
  expect(verdict.tone).toBe('bad');
  expect(verdict.headline).toBe(
    'Moved 1 person from node-a to node-b. 1 person stays on node-a: the new path did not prove itself.',
  );
});

test('a move that happened for nobody', () => {
  expect(said(migration([moved('1', { outcome: 'failed', failure: 'target-refused' })], 'failed'), [])).toBe(
    'bad | 1 person stays on node-a: the target refused. | The call goes on where it is.',
  );
  expect(said(migration([], 'cancelled'), [])).toBe(
    'bad | The move was called off. | The call goes on where it is.',
  );
});

test('a target that holds everything already is no failure', () => {
  expect(said(migration([]), [])).toBe('plain | Everybody was there already. Nobody had to move.');
});

test('people from several nodes', () => {
  const headline = verdictOf(migration([moved('1'), moved('2', { from: 'node-c' })]), []).headline;
  expect(headline).toBe('Moved 2 people from node-a and node-c to node-b.');
});

test('reports add up: the worst gap, the sum of losses; recovered packets do not hide lost ones', () => {
  const felt = summarise([report({ packetsLost: -2 }), report({ packetsLost: 1, frameGapMsMax: null })]);
  expect(felt).toMatchObject({ reports: 2, gapMs: 41, packetsLost: 1 });
});

test('times are written as people read them', () => {
  expect([milliseconds(40.6), milliseconds(999), milliseconds(1_240)]).toEqual(['41 ms', '999 ms', '1.2 s']);
});

test('a rehearsal and clients that cannot move are named', () => {
  const rehearsed = verdictOf(migration([moved('1', { outcome: 'rehearsed' })]), [report()]);
  expect(rehearsed).toMatchObject({
    tone: 'calm',
    headline: 'Rehearsed the move of 1 person; everybody is where they were.',
  });
  const gone = verdictOf(migration([moved('1'), moved('2', { outcome: 'disconnected' })]), [report()]);
  expect(gone.headline).toBe(
    'Moved 1 person from node-a to node-b. 1 person disconnected, without session migration in their client.',
  );
});
