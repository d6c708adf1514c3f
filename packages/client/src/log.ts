/** Levels of `OT.setLogLevel`, as in OpenTok.js. */
export const LOG_LEVELS = { NONE: 0, ERROR: 1, WARN: 2, INFO: 3, LOG: 4, DEBUG: 5 } as const;
export type LogLevel = (typeof LOG_LEVELS)[keyof typeof LOG_LEVELS];

let current: LogLevel = LOG_LEVELS.ERROR;

/** Sets how much goes to the console. Tokens and SDP never do, at any level. */
export function setLogLevel(level: LogLevel): void {
  current = level;
}

function write(level: LogLevel, method: 'error' | 'warn' | 'info' | 'log' | 'debug', parts: unknown[]): void {
  if (level <= current) console[method]('[OT]', ...parts);
}

export const log = {
  error: (...parts: unknown[]): void => write(LOG_LEVELS.ERROR, 'error', parts),
  warn: (...parts: unknown[]): void => write(LOG_LEVELS.WARN, 'warn', parts),
  info: (...parts: unknown[]): void => write(LOG_LEVELS.INFO, 'info', parts),
  debug: (...parts: unknown[]): void => write(LOG_LEVELS.DEBUG, 'debug', parts),
};

/** The page's own line in the console, from level LOG on. */
export function logLine(text: string): void {
  write(LOG_LEVELS.LOG, 'log', [text]);
}
