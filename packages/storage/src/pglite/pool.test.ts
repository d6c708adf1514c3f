import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describe, expect, it } from 'vitest';
import { UPKEEP_AFTER_WRITES } from '../limits.js';
import { poolOverSession } from './pool.js';
import { sessionOf, type PGliteSession } from './session.js';

/** Notes the statements; every one succeeds unless `fails` says otherwise. */
function notingSession(fails: (sql: string) => boolean = () => false) {
  const statements: string[] = [];
  const session: PGliteSession = {
    query: (sql) => {
      statements.push(sql);
      if (fails(sql)) return Promise.reject(new Error('no room left'));
      return Promise.resolve({ rows: [], affectedRows: 1 });
    },
    close: () => Promise.resolve(),
  };
  return { session, statements };
}

async function write(pool: ReturnType<typeof poolOverSession>, count: number): Promise<void> {
  const client = await pool.connect();
  for (let number = 0; number < count; number++) await client.query('update t set n = n + 1', []);
  client.release();
}

describe('upkeep of the embedded database', () => {
  it('comes after so many writes, and never inside of a transaction', async () => {
    const { session, statements } = notingSession();
    const pool = poolOverSession(session);
    const holder = await pool.connect();
    await holder.query('begin', []);
    for (let number = 0; number < UPKEEP_AFTER_WRITES; number++)
      await holder.query('insert into t values (1)', []);
    const waiting = write(pool, 1);
    await holder.query('commit', []);
    expect(statements).not.toContain('vacuum');
    holder.release();
    await waiting;
    expect(statements.slice(-4)).toEqual(['commit', 'vacuum', 'checkpoint', 'update t set n = n + 1']);
    await pool.end();
    expect(statements.filter((sql) => sql === 'vacuum')).toHaveLength(1);
  });

  it('counts no reads', async () => {
    const { session, statements } = notingSession();
    const pool = poolOverSession(session);
    const client = await pool.connect();
    for (let number = 0; number <= UPKEEP_AFTER_WRITES; number++) await client.query('select 1', []);
    client.release();
    await pool.end();
    expect(statements).not.toContain('vacuum');
  });

  it('that fails holds nobody up', async () => {
    const { session, statements } = notingSession((sql) => sql === 'vacuum');
    const pool = poolOverSession(session);
    await write(pool, UPKEEP_AFTER_WRITES);
    await write(pool, 1);
    await pool.end();
    expect(statements.at(-1)).toBe('update t set n = n + 1');
  });

  it(
    'keeps a real database as large as it was, however often its rows change',
    { timeout: 120_000 },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'godwit-upkeep-'));
      const database = await PGlite.create(folder);
      const pool = poolOverSession(sessionOf(database));
      const client = await pool.connect();
      await client.query('create table t (n int, filler text)', []);
      await client.query(`insert into t values (0, repeat('x', 1000))`, []);
      client.release();
      const size = async (): Promise<number> => {
        const reader = await pool.connect();
        const result = await reader.query<{ bytes: number }>(
          `select pg_relation_size('t')::int as bytes`,
          [],
        );
        reader.release();
        return result.rows[0]?.bytes ?? 0;
      };
      await write(pool, UPKEEP_AFTER_WRITES);
      await write(pool, UPKEEP_AFTER_WRITES);
      const afterTwo = await size();
      await write(pool, UPKEEP_AFTER_WRITES);
      await write(pool, UPKEEP_AFTER_WRITES);
      expect(await size()).toBeLessThanOrEqual(afterTwo * 1.1);
      await pool.end();
      await rm(folder, { recursive: true });
    },
  );
});
