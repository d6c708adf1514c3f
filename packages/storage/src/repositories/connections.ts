import type { Kysely, Selectable, Transaction } from 'kysely';
import { FORGOTTEN_ROWS_MAX } from '../limits.js';
import type { CallbackEvent, ConnectionRecord, StreamRecord } from '../records.js';
import { openAnnouncement } from './callbacks.js';
import { toStreamRecord } from './streams.js';
import { NOTHING_NEGOTIATED } from './transports.js';
import { numberOrNull, wordsOf, type Schema } from '../schema.js';

/** What the callbacks of a new connection depend on. */
export interface ConnectionBegun {
  /** Nobody else is in the session. */
  readonly isFirst: boolean;
}

/** What the callbacks of an ended connection depend on. */
export interface ConnectionEnded {
  readonly connection: ConnectionRecord;
  /** Those of its streams that others had been told of, oldest first. */
  readonly streams: readonly StreamRecord[];
  /** Nobody is left in the session. */
  readonly isLast: boolean;
}

export interface ConnectionRepository {
  create(
    connection: ConnectionRecord,
    eventsOf?: (begun: ConnectionBegun) => readonly CallbackEvent[],
  ): Promise<void>;
  get(connectionId: string): Promise<ConnectionRecord | null>;
  /** Every connection that has not ended, oldest first; of some sessions (at least one), or of all. */
  listLive(sessionIds?: readonly string[]): Promise<ConnectionRecord[]>;
  /** True when this call ended it; ends its streams and transports in the same transaction. */
  end(
    connectionId: string,
    reason: string,
    nowMs: number,
    eventsOf?: (ended: ConnectionEnded) => readonly CallbackEvent[],
  ): Promise<boolean>;
  /**
   * Forgets connections, streams and transports that ended before that time, at most FORGOTTEN_ROWS_MAX of each;
   * answers how many connections.
   */
  forgetEnded(beforeMs: number): Promise<number>;
}

export function connectionRepository(database: Kysely<Schema>): ConnectionRepository {
  return {
    create: (connection, eventsOf) =>
      database.transaction().execute((transaction) => create(transaction, connection, eventsOf)),
    async get(connectionId) {
      const query = database.selectFrom('connections').selectAll().where('connection_id', '=', connectionId);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    async listLive(sessionIds) {
      let query = database.selectFrom('connections').selectAll().where('ended_at_ms', 'is', null);
      if (sessionIds !== undefined) query = query.where('session_id', 'in', [...sessionIds]);
      return (await query.orderBy('created_at_ms').execute()).map(toRecord);
    },
    end: (connectionId, reason, nowMs, eventsOf) =>
      database
        .transaction()
        .execute((transaction) => end(transaction, { connectionId, reason, nowMs }, eventsOf)),
    forgetEnded: (beforeMs) => forgetEnded(database, beforeMs),
  };
}

async function create(
  transaction: Transaction<Schema>,
  connection: ConnectionRecord,
  eventsOf?: (begun: ConnectionBegun) => readonly CallbackEvent[],
): Promise<void> {
  const { connectionId, sessionId } = connection;
  const announcement = eventsOf === undefined ? null : await openAnnouncement(transaction, sessionId);
  await transaction
    .insertInto('connections')
    .values({
      connection_id: connectionId,
      session_id: sessionId,
      data: connection.data,
      role: connection.role,
      session_migration: connection.sessionMigration,
      path_method: connection.pathMethod,
      events_suppressed: connection.eventsSuppressed,
      layout_classes: connection.layoutClasses.join(' '),
      resume_token_hash: connection.resumeTokenHash,
      created_at_ms: connection.createdAtMs,
      ended_at_ms: connection.endedAtMs,
      end_reason: connection.endReason,
    })
    .execute();
  if (announcement === null || eventsOf === undefined) return;
  const isFirst = !(await isAnybodyElseIn(transaction, sessionId, connectionId));
  await announcement.tell(eventsOf({ isFirst }));
}

async function end(
  transaction: Transaction<Schema>,
  {
    connectionId,
    reason,
    nowMs,
  }: { readonly connectionId: string; readonly reason: string; readonly nowMs: number },
  eventsOf?: (ended: ConnectionEnded) => readonly CallbackEvent[],
): Promise<boolean> {
  const query = transaction.selectFrom('connections').selectAll().where('connection_id', '=', connectionId);
  const before = await query.executeTakeFirst();
  if (before === undefined || before.ended_at_ms !== null) return false;
  const sessionId = before.session_id;
  const announcement = eventsOf === undefined ? null : await openAnnouncement(transaction, sessionId);
  const result = await transaction
    .updateTable('connections')
    .set({ ended_at_ms: nowMs, end_reason: reason })
    .where('connection_id', '=', connectionId)
    .where('ended_at_ms', 'is', null)
    .executeTakeFirst();
  if (result.numUpdatedRows !== 1n) return false;
  const streams = await endStreams(transaction, connectionId, nowMs);
  await transaction
    .updateTable('transports')
    .set({ ended_at_ms: nowMs, negotiated: NOTHING_NEGOTIATED })
    .where('connection_id', '=', connectionId)
    .where('ended_at_ms', 'is', null)
    .execute();
  if (announcement === null || eventsOf === undefined) return true;
  const isLast = !(await isAnybodyElseIn(transaction, sessionId, connectionId));
  const connection = { ...toRecord(before), endedAtMs: nowMs, endReason: reason };
  await announcement.tell(eventsOf({ connection, streams, isLast }));
  return true;
}

/** Answers those that others had been told of, oldest first. */
async function endStreams(
  transaction: Transaction<Schema>,
  connectionId: string,
  nowMs: number,
): Promise<StreamRecord[]> {
  const rows = await transaction
    .updateTable('streams')
    .set({ ended_at_ms: nowMs })
    .where('connection_id', '=', connectionId)
    .where('ended_at_ms', 'is', null)
    .returningAll()
    .execute();
  return rows
    .map(toStreamRecord)
    .filter(({ publishedAtMs }) => publishedAtMs !== null)
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs);
}

async function isAnybodyElseIn(
  transaction: Transaction<Schema>,
  sessionId: string,
  connectionId: string,
): Promise<boolean> {
  const query = transaction
    .selectFrom('connections')
    .select('connection_id')
    .where('session_id', '=', sessionId)
    .where('ended_at_ms', 'is', null)
    .where('connection_id', '!=', connectionId)
    .limit(1);
  return (await query.executeTakeFirst()) !== undefined;
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
    layoutClasses: wordsOf(row.layout_classes),
    resumeTokenHash: row.resume_token_hash,
    createdAtMs: Number(row.created_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
    endReason: row.end_reason,
  };
}
