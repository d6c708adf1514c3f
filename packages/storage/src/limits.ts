/** A statement to the worker that takes longer than this is reported as failed: the worker is stuck. */
export const STATEMENT_TIMEOUT_MS = 30_000;
/** How long a closing database may take to write its last pages before the worker is ended. */
export const CLOSE_TIMEOUT_MS = 5_000;
/** Rows that one list answers at most; nobody reads more on one page. */
export const LIST_ROWS_MAX = 1_000;
/** Migrations of one session that its history shows. */
export const MIGRATION_HISTORY_MAX = 50;
