import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { PGliteSession } from './session.js';
import { Upkeep } from './upkeep.js';

/**
 * A pool as kysely's PostgresDialect wants it, over the one session that PGlite has: clients get it in turn, so a
 * transaction has it to itself until it is released. Between two of them the database gets its upkeep.
 */
export function poolOverSession(session: PGliteSession): PostgresPool {
  const upkeep = new Upkeep();
  let tail: Promise<void> = Promise.resolve();
  return {
    async connect() {
      const before = tail;
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      tail = released.then(() => upkeep.runIfDue(session));
      await before;
      return clientOf(session, upkeep, release);
    },
    async end() {
      await tail;
      await session.close();
    },
  };
}

function clientOf(session: PGliteSession, upkeep: Upkeep, release: () => void): PostgresPoolClient {
  const query = async (sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<never>> => {
    const result = await session.query(sql, parameters);
    const command = commandOf(sql);
    if (command !== 'SELECT') upkeep.wrote();
    return {
      command,
      rowCount: command === 'SELECT' ? result.rows.length : result.affectedRows,
      rows: result.rows as never[],
    };
  };
  // Cursors are not offered: nothing here streams rows.
  return { query: query as unknown as PostgresPoolClient['query'], release };
}

/** PGlite does not name the command, and kysely asks it to know whether rows were affected. */
function commandOf(sql: string): PostgresQueryResult<unknown>['command'] {
  const word = /^\s*(insert|update|delete|merge)\b/i.exec(sql)?.[1]?.toUpperCase();
  return word === 'INSERT' || word === 'UPDATE' || word === 'DELETE' || word === 'MERGE' ? word : 'SELECT';
}
