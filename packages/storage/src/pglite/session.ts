import type { PGlite } from '@electric-sql/pglite';

/** Result of one statement. */
export interface StatementResult {
  readonly rows: readonly Record<string, unknown>[];
  readonly affectedRows: number;
}

/** The one session of a PGlite database, wherever it runs. */
export interface PGliteSession {
  query(sql: string, parameters: readonly unknown[]): Promise<StatementResult>;
  close(): Promise<void>;
}

/** The session of a database that runs in this thread. */
export function sessionOf(database: PGlite): PGliteSession {
  return {
    async query(sql, parameters) {
      const result = await database.query<Record<string, unknown>>(sql, [...parameters]);
      return { rows: result.rows, affectedRows: result.affectedRows ?? 0 };
    },
    close: () => database.close(),
  };
}
