/** How long children may take to end after `stop` before they are killed: the whole platform must end within 10 s. */
export const STOP_GRACE_MS = 7_000;
/** A node that was sent SIGTERM moves its calls away first; longer than this and the orchestrator kills it anyway. */
export const DRAIN_GRACE_MS = 25_000;
/** First wait before a child that died is started again. */
export const RESTART_DELAY_MIN_MS = 500;
/** Longest wait: long enough not to flood the log, short enough that a repaired machine is soon back. */
export const RESTART_DELAY_MAX_MS = 30_000;
/** A child that lived this long counts as healthy, and the next wait starts from the shortest again. */
export const HEALTHY_AFTER_MS = 60_000;
/** Embedded nodes on one machine: each is a process that may use a core. */
export const EMBEDDED_NODES_MAX = 64;
/** An answer of control to the command line. */
export const REQUEST_TIMEOUT_MS = 15_000;
/** How often `migrate --wait` asks for progress. */
export const PROGRESS_INTERVAL_MS = 500;
/** A migration that takes longer is reported as still running. */
export const MIGRATION_WAIT_MAX_MS = 600_000;
/** Pages report 2 s after a move has ended; one that has not done so by then is closed or hidden. */
export const GAP_REPORTS_WAIT_MAX_MS = 5_000;
/** One-off tokens that the command line signs for itself. */
export const PROJECT_TOKEN_SECONDS = 60;
/** Lifetime of the generated LAN certificate; Apple's clients refuse more than 825 days. */
export const LAN_CERTIFICATE_DAYS = 365;
/** A LAN certificate is replaced this long before it ends. */
export const LAN_CERTIFICATE_RENEW_DAYS = 30;
