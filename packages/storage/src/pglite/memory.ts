import { PGlite } from '@electric-sql/pglite';
import type { PGliteSession } from './session.js';

/** A database in this process's memory, gone when it is closed: for tests. */
export async function openMemorySession(): Promise<PGliteSession> {
  const database = await PGlite.create();
  return {
    async query(sql, parameters) {
      const result = await database.query<Record<string, unknown>>(sql, [...parameters]);
      return { rows: result.rows, affectedRows: result.affectedRows ?? 0 };
    },
    close: () => database.close(),
  };
}
