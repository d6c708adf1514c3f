import { Pool, type PoolClient } from 'pg';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { StorageError } from '../errors.js';
import {
  POSTGRES_CONNECTIONS_MAX,
  POSTGRES_CONNECT_TIMEOUT_MS,
  POSTGRES_STATEMENT_TIMEOUT_MS,
} from '../limits.js';
import { asUnavailable, isUnavailable, refuse } from './unavailable.js';

/** Connections to a PostgreSQL server. What fails because the server is away fails as `unavailable`, and soon. */
export function openPostgresPool(url: string, isSure: () => boolean): PostgresPool {
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
    connect: async () => {
      // Others may have taken over what we would write.
      if (!isSure()) throw asUnavailable(new Error('this control does not know whether it is still one'));
      const client = await pool.connect().catch(refuse);
      // The wait for it may have been long.
      if (isSure()) return clientOf(client);
      client.release();
      throw asUnavailable(new Error('this control does not know whether it is still one'));
    },
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
      // One that is thrown away may still hear of its end.
      if (broken === null) client.off('error', onError);
      client.release(broken ?? undefined);
    },
  };
}
