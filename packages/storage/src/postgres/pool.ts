import { Pool, type PoolClient } from 'pg';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import { StorageError } from '../errors.js';
import {
  POSTGRES_CONNECTIONS_MAX,
  POSTGRES_CONNECT_TIMEOUT_MS,
  POSTGRES_STATEMENT_TIMEOUT_MS,
} from '../limits.js';

/** Connections to a PostgreSQL server. What fails because the server is away fails as `unavailable`, and soon. */
export function openPostgresPool(url: string): PostgresPool {
  const pool = new Pool({
    connectionString: url,
    max: POSTGRES_CONNECTIONS_MAX,
    connectionTimeoutMillis: POSTGRES_CONNECT_TIMEOUT_MS,
    statement_timeout: POSTGRES_STATEMENT_TIMEOUT_MS,
    // A server that has vanished answers nothing, not even that the statement took too long.
    query_timeout: POSTGRES_STATEMENT_TIMEOUT_MS + POSTGRES_CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: POSTGRES_STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'godwit',
  });
  // A connection that breaks while nobody uses it is replaced by the next; whoever uses one gets the error himself.
  pool.on('error', () => undefined);
  return {
    connect: async () => clientOf(await pool.connect().catch(refuse)),
    end: () => pool.end(),
  };
}

function clientOf(client: PoolClient): PostgresPoolClient {
  let broken: StorageError | null = null;
  const onError = (error: Error): void => {
    broken = asUnavailable(error);
  };
  client.on('error', onError);
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    // A server that has vanished is not asked once more, for a rollback, by who knows it.
    if (broken !== null) throw broken;
    try {
      return await client.query(text, [...parameters]);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      broken = asUnavailable(error);
      throw broken;
    }
  };
  return {
    // Cursors are not offered: nothing here streams rows.
    query: query as unknown as PostgresPoolClient['query'],
    release: () => {
      client.off('error', onError);
      client.release(broken ?? undefined);
    },
  };
}

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

function isUnavailable(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_SYSTEM_ERRORS.has(code);
  return typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message);
}

/** Its message names no address: the URL may hold a password. */
function asUnavailable(cause: unknown): StorageError {
  return new StorageError(
    'unavailable',
    'The database cannot be reached. Start PostgreSQL, or check GODWIT_DATABASE_URL.',
    { cause },
  );
}

function refuse(error: unknown): never {
  throw isUnavailable(error) ? asUnavailable(error) : error;
}
