import type { Logger } from 'pino';

/**
 * A logger that writes nothing and hands on errors: what the code under simulation calls an error is one. Only the
 * methods that product code calls are there.
 */
export function silentLog(onError: (message: string, details: unknown) => void): Logger {
  const silent = (): void => undefined;
  const log = {
    level: 'silent',
    trace: silent,
    debug: silent,
    info: silent,
    warn: silent,
    error: (details: unknown, message?: string) => {
      onError(message ?? '', details);
    },
    fatal: silent,
  };
  return log as unknown as Logger;
}
