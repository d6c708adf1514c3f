import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { MoveRecord, Storage } from '@godwit/storage';
import { deferred, type Deferred } from '../deadline.js';
import { MoveLog } from './move-log.js';

// Against a storage whose writes end when the test says so: what is noted meanwhile is what matters.

const MOVE: MoveRecord = {
  moveId: '',
  migrationId: 'm',
  connectionId: 'c',
  fromNodeId: 'a',
  toNodeId: 'b',
  outcome: null,
  failure: null,
  gap: null,
  measures: null,
  startedAtMs: 0,
  endedAtMs: null,
};
const move = (moveId: string, outcome: string | null = null): MoveRecord => ({ ...MOVE, moveId, outcome });

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scene() {
  const writes: { moves: readonly MoveRecord[]; end: Deferred<void> }[] = [];
  const progress: unknown[] = [];
  const storage = {
    moves: {
      save: (moves: readonly MoveRecord[]) => {
        const end = deferred<void>();
        writes.push({ moves, end });
        return end.promise;
      },
      saveGap: (moveId: string) =>
        Promise.resolve(writes.some(({ moves }) => moves.some((each) => each.moveId === moveId))),
    },
    migrations: {
      progress: (_migrationId: string, each: unknown) => {
        progress.push(each);
        return Promise.resolve();
      },
    },
  } as unknown as Storage;
  return { log: new MoveLog(storage, pino({ level: 'silent' })), writes, progress };
}

describe('the log of moves', () => {
  // A write ends in several turns, and in none of them may a note find neither its loop nor its end.
  it.each([0, 1, 2, 3, 4, 5, 6])('writes what is noted %i turns after a write has ended', async (turns) => {
    const { log, writes } = scene();
    log.note(move('1'));
    await settle();
    writes[0]?.end.resolve();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    log.note(move('1', 'completed'));
    await settle();
    writes[1]?.end.resolve();
    await log.written();
    expect(writes.map(({ moves }) => moves)).toEqual([[move('1')], [move('1', 'completed')]]);
  });

  it('writes what is noted during a write together, and of each move the last word', async () => {
    const { log, writes, progress } = scene();
    log.note(move('1'));
    await settle();
    for (const moveId of ['2', '3']) log.note(move(moveId));
    log.note(move('2', 'completed'));
    log.progress('m', { moved: 1, total: 3 });
    log.progress('m', { moved: 2, total: 3 });
    await settle();
    expect(writes).toHaveLength(1);
    writes[0]?.end.resolve();
    await settle();
    writes[1]?.end.resolve();
    await log.written();
    expect(writes.map(({ moves }) => moves)).toEqual([[move('1')], [move('2', 'completed'), move('3')]]);
    expect(progress).toEqual([{ moved: 2, total: 3 }]);
  });

  it('has written everything noted before when it says so', async () => {
    const { log, writes } = scene();
    await log.written();
    log.note(move('1'));
    let isWritten = false;
    void log.written().then(() => (isWritten = true));
    await settle();
    log.note(move('2'));
    writes[0]?.end.resolve();
    await settle();
    expect(isWritten).toBe(false);
    writes[1]?.end.resolve();
    await settle();
    expect(isWritten).toBe(true);
  });

  it('finds the row for a report of a client that comes before it was written', async () => {
    const { log, writes } = scene();
    log.note(move('1', 'completed'));
    const saved = log.saveGap('1', 'c', {});
    await settle();
    writes[0]?.end.resolve();
    expect(await saved).toBe(true);
  });

  it('goes on after a write that failed', async () => {
    const { log, writes } = scene();
    log.note(move('1'));
    await settle();
    writes[0]?.end.reject(new Error('no room left'));
    await log.written();
    log.note(move('2'));
    await settle();
    writes[1]?.end.resolve();
    await log.written();
    expect(writes[1]?.moves).toEqual([move('2')]);
  });
});
