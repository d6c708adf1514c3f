import type { Kysely, Selectable, Transaction } from 'kysely';
import { FORGOTTEN_ROWS_MAX } from '../limits.js';
import type { ConnectionRecord } from '../records.js';
import { NOTHING_NEGOTIATED } from './transports.js';
import { numberOrNull, type Schema } from '../schema.js';

export interface ConnectionRepository {
  create(connection: ConnectionRecord): Promise<void>;
  get(connectionId: string): Promise<ConnectionRecord | null>;
  /** Every connection that has not ended, oldest first; of one session, or of all. */
  listLive(sessionId?: string): Promise<ConnectionRecord[]>;
  /** True when this call ended it; ends its streams and transports in the same transaction. */
  end(connectionId: string, reason: string, nowMs: number): Promise<boolean>;
  /**
   * Forgets connections, streams and transports that ended before that time, at most FORGOTTEN_ROWS_MAX of each;
   * answers how many connections.
   */
  forgetEnded(beforeMs: number): Promise<number>;
}

export function connectionRepository(database: Kysely<Schema>): ConnectionRepository {
  return {
    async create(connection) {
      await database
        .insertInto('connections')
        .values({
          connection_id: connection.connectionId,
          session_id: connection.sessionId,
          data: connection.data,
          role: connection.role,
          session_migration: connection.sessionMigration,
          path_method: connection.pathMethod,
          events_suppressed: connection.eventsSuppressed,
          resume_token_hash: connection.resumeTokenHash,
          created_at_ms: connection.createdAtMs,
          ended_at_ms: connection.endedAtMs,
          end_reason: connection.endReason,
        })
        .execute();
    },
    async get(connectionId) {
      const query = database.selectFrom('connections').selectAll().where('connection_id', '=', connectionId);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    async listLive(sessionId) {
      let query = database.selectFrom('connections').selectAll().where('ended_at_ms', 'is', null);
      if (sessionId !== undefined) query = query.where('session_id', '=', sessionId);
      return (await query.orderBy('created_at_ms').execute()).map(toRecord);
    },
    end(connectionId, reason, nowMs) {
      return database.transaction().execute(async (transaction) => {
        const result = await transaction
          .updateTable('connections')
          .set({ ended_at_ms: nowMs, end_reason: reason })
          .where('connection_id', '=', connectionId)
          .where('ended_at_ms', 'is', null)
          .executeTakeFirst();
        if (result.numUpdatedRows !== 1n) return false;
        await transaction
          .updateTable('streams')
          .set({ ended_at_ms: nowMs })
          .where('connection_id', '=', connectionId)
          .where('ended_at_ms', 'is', null)
          .execute();
        await transaction
          .updateTable('transports')
          .set({ ended_at_ms: nowMs, negotiated: NOTHING_NEGOTIATED })
          .where('connection_id', '=', connectionId)
          .where('ended_at_ms', 'is', null)
          .execute();
        return true;
      });
    },
    forgetEnded: (beforeMs) => forgetEnded(database, beforeMs),
  };
}

function forgetEnded(database: Kysely<Schema>, beforeMs: number): Promise<number> {
  return database.transaction().execute(async (transaction) => {
    const connections = transaction
      .selectFrom('connections')
      .select('connection_id')
      .where('ended_at_ms', '<', beforeMs)
      .orderBy('ended_at_ms')
      .limit(FORGOTTEN_ROWS_MAX);
    const ids = (await connections.execute()).map((row) => row.connection_id);
    for (const table of ['streams', 'transports'] as const) {
      if (ids.length > 0) await transaction.deleteFrom(table).where('connection_id', 'in', ids).execute();
    }
    await forgetParts(transaction, beforeMs);
    if (ids.length === 0) return 0;
    await transaction.deleteFrom('connections').where('connection_id', 'in', ids).execute();
    return ids.length;
  });
}

/** What ended while its connection lives on. */
async function forgetParts(transaction: Transaction<Schema>, beforeMs: number): Promise<void> {
  for (const [table, id] of [
    ['streams', 'stream_id'],
    ['transports', 'transport_id'],
  ] as const) {
    const ended = transaction
      .selectFrom(table)
      .select(id)
      .where('ended_at_ms', '<', beforeMs)
      .limit(FORGOTTEN_ROWS_MAX);
    await transaction.deleteFrom(table).where(id, 'in', ended).execute();
  }
}

function toRecord(row: Selectable<Schema['connections']>): ConnectionRecord {
  return {
    connectionId: row.connection_id,
    sessionId: row.session_id,
    data: row.data,
    role: row.role,
    sessionMigration: row.session_migration,
    pathMethod: row.path_method,
    eventsSuppressed: row.events_suppressed,
    resumeTokenHash: row.resume_token_hash,
    createdAtMs: Number(row.created_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
    endReason: row.end_reason,
  };
}
