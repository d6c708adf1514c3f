import type { Kysely, Selectable, Transaction } from 'kysely';
import type { CallbackEvent, Json, StreamRecord } from '../records.js';
import { openAnnouncement, type Announcement } from './callbacks.js';
import { numberOrNull, wordsOf, type Schema } from '../schema.js';

export interface StreamRepository {
  create(stream: StreamRecord): Promise<void>;
  /** Streams that have not ended, oldest first; of some sessions (at least one), or of all. */
  listLive(sessionIds?: readonly string[]): Promise<StreamRecord[]>;
  update(streamId: string, info: Json): Promise<void>;
  setLayoutClasses(streamId: string, layoutClasses: readonly string[]): Promise<void>;
  /** True for the call that published it. The callbacks are asked for only when somebody wants them. */
  publish(streamId: string, nowMs: number, eventsOf?: () => readonly CallbackEvent[]): Promise<boolean>;
  /** True for the call that ended it. The callbacks are asked for only when others had been told of it, too. */
  end(streamId: string, nowMs: number, eventsOf?: () => readonly CallbackEvent[]): Promise<boolean>;
}

export function streamRepository(database: Kysely<Schema>): StreamRepository {
  return {
    async create(stream) {
      await database
        .insertInto('streams')
        .values({
          stream_id: stream.streamId,
          session_id: stream.sessionId,
          connection_id: stream.connectionId,
          info: JSON.stringify(stream.info),
          layout_classes: stream.layoutClasses.join(' '),
          created_at_ms: stream.createdAtMs,
          published_at_ms: stream.publishedAtMs,
          ended_at_ms: stream.endedAtMs,
        })
        .execute();
    },
    async listLive(sessionIds) {
      let query = database.selectFrom('streams').selectAll().where('ended_at_ms', 'is', null);
      if (sessionIds !== undefined) query = query.where('session_id', 'in', [...sessionIds]);
      return (await query.orderBy('created_at_ms').execute()).map(toStreamRecord);
    },
    async update(streamId, info) {
      await database
        .updateTable('streams')
        .set({ info: JSON.stringify(info) })
        .where('stream_id', '=', streamId)
        .execute();
    },
    async setLayoutClasses(streamId, layoutClasses) {
      await database
        .updateTable('streams')
        .set({ layout_classes: layoutClasses.join(' ') })
        .where('stream_id', '=', streamId)
        .execute();
    },
    publish: (streamId, nowMs, eventsOf) => change(database, streamId, { published_at_ms: nowMs }, eventsOf),
    end: (streamId, nowMs, eventsOf) => change(database, streamId, { ended_at_ms: nowMs }, eventsOf),
  };
}

/** Publishes a stream that is not published yet, or ends one that has not ended. */
function change(
  database: Kysely<Schema>,
  streamId: string,
  set: { readonly published_at_ms: number } | { readonly ended_at_ms: number },
  eventsOf?: () => readonly CallbackEvent[],
): Promise<boolean> {
  return database.transaction().execute(async (transaction) => {
    const announcement = eventsOf === undefined ? null : await announcementOf(transaction, streamId);
    let query = transaction
      .updateTable('streams')
      .set(set)
      .where('stream_id', '=', streamId)
      .where('ended_at_ms', 'is', null);
    if ('published_at_ms' in set) query = query.where('published_at_ms', 'is', null);
    const row = await query.returning('published_at_ms').executeTakeFirst();
    if (row === undefined) return false;
    if (announcement === null || eventsOf === undefined || row.published_at_ms === null) return true;
    await announcement.tell(eventsOf());
    return true;
  });
}

async function announcementOf(
  transaction: Transaction<Schema>,
  streamId: string,
): Promise<Announcement | null> {
  const query = transaction.selectFrom('streams').select('session_id').where('stream_id', '=', streamId);
  const row = await query.executeTakeFirst();
  return row === undefined ? null : openAnnouncement(transaction, row.session_id);
}

export function toStreamRecord(row: Selectable<Schema['streams']>): StreamRecord {
  return {
    streamId: row.stream_id,
    sessionId: row.session_id,
    connectionId: row.connection_id,
    info: row.info as Json,
    layoutClasses: wordsOf(row.layout_classes),
    createdAtMs: Number(row.created_at_ms),
    publishedAtMs: numberOrNull(row.published_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
  };
}
