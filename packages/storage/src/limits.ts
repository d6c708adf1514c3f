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
/** Valid secrets, or valid keys, of one project: the one in use, and the one that takes its place. */
export const PROJECT_CREDENTIALS_MAX = 2;
/** Receivers of one project's callbacks: each event is sent to every one of them. */
export const CALLBACK_RECEIVERS_MAX = 16;
/** Characters kept of what a job failed with: a sentence to read, not an answer's body. */
export const JOB_ERROR_CHARS_MAX = 300;
/** Connections of one control to PostgreSQL: its default of 100 serves several controls and an administrator. */
export const POSTGRES_CONNECTIONS_MAX = 16;
/** How long a query may wait for a connection, and a new connection for the server: REST answers 503 then. */
export const POSTGRES_CONNECT_TIMEOUT_MS = 3_000;
/** A statement that takes longer is ended: every one of them touches a few rows by their keys. */
export const POSTGRES_STATEMENT_TIMEOUT_MS = 5_000;
/** How long a control counts as alive after it last said so: one that stalls for longer has lost its sessions to others. */
export const REPLICA_LEASE_MS = 5_000;
/** How often a control says that it is alive: three times may fail. */
export const REPLICA_BEAT_MS = 1_000;
/** A control stops writing this long before others may take over: what it has sent by then has arrived. */
export const REPLICA_LEASE_MARGIN_MS = 1_000;
/** A statement about replicas that takes longer has failed: the next beat tries again. */
export const REPLICA_STATEMENT_TIMEOUT_MS = 2_000;
/** Signals that one read answers: those of the last minute, of the sessions that are taken up together. */
export const SIGNALS_READ_MAX = 10_000;
/** Sessions that one transaction tells of a planned end: it holds their rows, and changes of theirs wait meanwhile. */
export const SESSIONS_TOLD_MAX = 100;
