import { pino } from 'pino';
import { expect, it } from 'vitest';
import { StorageError } from '@godwit/storage';
import { deferred } from '../deadline.js';
import { UNWRITTEN_CHANGES_MAX } from '../limits.js';
import { UnwrittenChanges } from './unwritten.js';

const away = new StorageError('unavailable', 'away');
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

it('writes what happened while the database was away, in order, once it is back', async () => {
  const changes = new UnwrittenChanges(pino({ level: 'silent' }));
  let isAway = true;
  const written: string[] = [];
  const write = (what: string): Promise<void> =>
    changes.write(what, () => {
      if (isAway) return Promise.reject(away);
      written.push(what);
      return Promise.resolve();
    });
  await write('one');
  await write('two');
  changes.tick();
  await settle();
  expect([written, changes.size]).toEqual([[], 2]);
  isAway = false;
  await write('three');
  expect(written).toEqual([]);
  changes.tick();
  await settle();
  expect([written, changes.size]).toEqual([['one', 'two', 'three'], 0]);
  await write('four');
  expect(written.at(-1)).toBe('four');
});

it('tells the caller of every other error, and is not held up by one of what waits', async () => {
  const changes = new UnwrittenChanges(pino({ level: 'silent' }));
  await expect(changes.write('x', () => Promise.reject(new Error('no such column')))).rejects.toThrow(
    'column',
  );
  let failures = 1;
  await changes.write('bad', () => Promise.reject(failures-- > 0 ? away : new Error('no such column')));
  const written: string[] = [];
  await changes.write('good', () => Promise.resolve(void written.push('good')));
  changes.tick();
  await settle();
  expect([written, changes.size]).toEqual([['good'], 0]);
});

it('keeps no more than it may', async () => {
  const changes = new UnwrittenChanges(pino({ level: 'silent' }));
  for (let count = 0; count <= UNWRITTEN_CHANGES_MAX; count++)
    await changes.write('x', () => Promise.reject(away));
  expect(changes.size).toBe(UNWRITTEN_CHANGES_MAX);
});

it('has written everything when it is flushed in the middle of a write', async () => {
  const changes = new UnwrittenChanges(pino({ level: 'silent' }));
  const written: string[] = [];
  const answer = deferred<void>();
  let isAway = true;
  await changes.write('slow', async () => {
    if (isAway) throw away;
    await answer.promise;
    written.push('slow');
  });
  await changes.write('next', () => Promise.resolve(void written.push('next')));
  isAway = false;
  changes.tick();
  const flushed = changes.flush().then(() => [...written]);
  await settle();
  answer.resolve();
  expect(await flushed).toEqual(['slow', 'next']);
});

it('tries once more when it is flushed and the round under way finds the database away', async () => {
  const changes = new UnwrittenChanges(pino({ level: 'silent' }));
  let failures = 2;
  const written: string[] = [];
  await changes.write('x', () =>
    failures-- > 0 ? Promise.reject(away) : Promise.resolve(void written.push('x')),
  );
  changes.tick();
  await changes.flush();
  expect(written).toEqual(['x']);
});
