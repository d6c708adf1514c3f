import { StorageError } from '../errors.js';

/**
 * SQLSTATE classes 08 (connection), 53 (resources) and 57P (the server ends or starts); 57014 (took too long), 40001, 40P01 and
 * 55P03 (others were in the way). The same may succeed later.
 */
const UNAVAILABLE_SQLSTATE = /^(08|53|57P|57014|40001|40P01|55P03)/;
const UNAVAILABLE_SYSTEM_ERRORS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
]);
/** What `pg` says without a code when a connection, or the wait for one, has come to nothing. */
const UNAVAILABLE_MESSAGE = /Connection terminated|timeout exceeded|Query read timeout|not queryable/i;

/** The database did not answer, or could not; the same may succeed later. */
export function isUnavailable(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_SYSTEM_ERRORS.has(code);
  return typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message);
}

/** Its message names no address: the URL may hold a password. */
export function asUnavailable(cause: unknown): StorageError {
  return new StorageError(
    'unavailable',
    'The database cannot be reached. Start PostgreSQL, or check GODWIT_DATABASE_URL.',
    { cause },
  );
}

/** Throws what failed, as `unavailable` where it is. */
export function refuse(error: unknown): never {
  throw isUnavailable(error) ? asUnavailable(error) : error;
}
