import type { Kysely, Selectable } from 'kysely';
import type { Json, StreamRecord } from '../records.js';
import { numberOrNull, type Schema } from '../schema.js';

export interface StreamRepository {
  create(stream: StreamRecord): Promise<void>;
  /** Streams that have not ended, oldest first; of one session, or of all. */
  listLive(sessionId?: string): Promise<StreamRecord[]>;
  update(streamId: string, info: Json): Promise<void>;
  /** True for the call that published it. */
  publish(streamId: string, nowMs: number): Promise<boolean>;
  end(streamId: string, nowMs: number): Promise<boolean>;
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
          created_at_ms: stream.createdAtMs,
          published_at_ms: stream.publishedAtMs,
          ended_at_ms: stream.endedAtMs,
        })
        .execute();
    },
    async listLive(sessionId) {
      let query = database.selectFrom('streams').selectAll().where('ended_at_ms', 'is', null);
      if (sessionId !== undefined) query = query.where('session_id', '=', sessionId);
      return (await query.orderBy('created_at_ms').execute()).map(toRecord);
    },
    async update(streamId, info) {
      await database
        .updateTable('streams')
        .set({ info: JSON.stringify(info) })
        .where('stream_id', '=', streamId)
        .execute();
    },
    async publish(streamId, nowMs) {
      const result = await database
        .updateTable('streams')
        .set({ published_at_ms: nowMs })
        .where('stream_id', '=', streamId)
        .where('published_at_ms', 'is', null)
        .where('ended_at_ms', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async end(streamId, nowMs) {
      const result = await database
        .updateTable('streams')
        .set({ ended_at_ms: nowMs })
        .where('stream_id', '=', streamId)
        .where('ended_at_ms', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
  };
}

function toRecord(row: Selectable<Schema['streams']>): StreamRecord {
  return {
    streamId: row.stream_id,
    sessionId: row.session_id,
    connectionId: row.connection_id,
    info: row.info as Json,
    createdAtMs: Number(row.created_at_ms),
    publishedAtMs: numberOrNull(row.published_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
  };
}
