/** A statement to the worker that takes longer than this is reported as failed: the worker is stuck. */
export const STATEMENT_TIMEOUT_MS = 30_000;
/** How long a closing database may take to write its last pages before the worker is ended. */
export const CLOSE_TIMEOUT_MS = 5_000;
/** Rows that one list answers at most; nobody reads more on one page. */
export const LIST_ROWS_MAX = 1_000;
/** Migrations of one session that are kept, with their moves: the oldest is forgotten when one more has ended. */
export const MIGRATION_HISTORY_MAX = 50;
/**
 * Writes to the embedded database between two rounds of upkeep. A move of one transport makes about eight, each leaves up
 * to 2 kB behind; a round took 30 to 180 ms on two busy cores, in which other statements wait.
 */
export const UPKEEP_AFTER_WRITES = 2_000;
/** Rows that one round of forgetting deletes of a kind at most, so that the database is never held up for long. */
export const FORGOTTEN_ROWS_MAX = 1_000;
