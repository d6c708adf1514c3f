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
