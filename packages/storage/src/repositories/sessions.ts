import type { Kysely, Selectable } from 'kysely';
import { LIST_ROWS_MAX } from '../limits.js';
import type { SessionRecord } from '../records.js';
import { numberOrNull, type Schema } from '../schema.js';

export interface SessionCounts {
  readonly connections: number;
  readonly streams: number;
}

export interface SessionRepository {
  /** False when the id, or the demo name, is taken. */
  create(session: SessionRecord): Promise<boolean>;
  get(sessionId: string): Promise<SessionRecord | null>;
  getByDemoName(demoName: string): Promise<SessionRecord | null>;
  /** Demo sessions, of every project. */
  countDemo(): Promise<number>;
  /** Newest first, at most LIST_ROWS_MAX. */
  list(): Promise<SessionRecord[]>;
  /** Who and what is in each of these sessions; one that nobody is in is absent. Streams that others have been told of. */
  countLive(sessionIds: readonly string[]): Promise<Map<string, SessionCounts>>;
  setHomeNode(sessionId: string, nodeId: string): Promise<void>;
  setMuteForced(sessionId: string, muteForced: boolean): Promise<void>;
  migrationEnded(sessionId: string, nowMs: number): Promise<void>;
}

export function sessionRepository(database: Kysely<Schema>): SessionRepository {
  const first = async (column: 'session_id' | 'demo_name', value: string): Promise<SessionRecord | null> => {
    const row = await database
      .selectFrom('sessions')
      .selectAll()
      .where(column, '=', value)
      .executeTakeFirst();
    return row === undefined ? null : toSessionRecord(row);
  };
  return {
    async create(session) {
      const result = await database
        .insertInto('sessions')
        .values({
          session_id: session.sessionId,
          api_key: session.apiKey,
          location: session.location,
          demo: session.demo,
          demo_name: session.demoName,
          home_node_id: session.homeNodeId,
          created_at_ms: session.createdAtMs,
          last_migration_ended_at_ms: session.lastMigrationEndedAtMs,
          mute_forced: session.muteForced,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    get: (sessionId) => first('session_id', sessionId),
    getByDemoName: (demoName) => first('demo_name', demoName),
    async countDemo() {
      const { count } = await database
        .selectFrom('sessions')
        .select((expression) => expression.fn.countAll().as('count'))
        .where('demo', '=', true)
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    async list() {
      const query = database
        .selectFrom('sessions')
        .selectAll()
        .orderBy('created_at_ms', 'desc')
        .limit(LIST_ROWS_MAX);
      return (await query.execute()).map(toSessionRecord);
    },
    countLive: (sessionIds) => countLive(database, sessionIds),
    async setHomeNode(sessionId, nodeId) {
      await database
        .updateTable('sessions')
        .set({ home_node_id: nodeId })
        .where('session_id', '=', sessionId)
        .execute();
    },
    async setMuteForced(sessionId, muteForced) {
      await database
        .updateTable('sessions')
        .set({ mute_forced: muteForced })
        .where('session_id', '=', sessionId)
        .execute();
    },
    async migrationEnded(sessionId, nowMs) {
      await database
        .updateTable('sessions')
        .set({ last_migration_ended_at_ms: nowMs })
        .where('session_id', '=', sessionId)
        .execute();
    },
  };
}

async function countLive(
  database: Kysely<Schema>,
  sessionIds: readonly string[],
): Promise<Map<string, SessionCounts>> {
  if (sessionIds.length === 0) return new Map();
  const rows = await database
    .selectFrom('connections')
    .select(({ fn }) => ['session_id', fn.countAll().as('connections')])
    .where('session_id', 'in', [...sessionIds])
    .where('ended_at_ms', 'is', null)
    .groupBy('session_id')
    .execute();
  const streams = await database
    .selectFrom('streams')
    .select(({ fn }) => ['session_id', fn.countAll().as('streams')])
    .where('session_id', 'in', [...sessionIds])
    .where('ended_at_ms', 'is', null)
    .where('published_at_ms', 'is not', null)
    .groupBy('session_id')
    .execute();
  const streamsOf = new Map(streams.map((row) => [row.session_id, Number(row.streams)]));
  return new Map(
    rows.map((row) => [
      row.session_id,
      { connections: Number(row.connections), streams: streamsOf.get(row.session_id) ?? 0 },
    ]),
  );
}

export function toSessionRecord(row: Selectable<Schema['sessions']>): SessionRecord {
  return {
    sessionId: row.session_id,
    apiKey: row.api_key,
    location: row.location,
    demo: row.demo,
    demoName: row.demo_name,
    homeNodeId: row.home_node_id,
    createdAtMs: Number(row.created_at_ms),
    lastMigrationEndedAtMs: numberOrNull(row.last_migration_ended_at_ms),
    muteForced: row.mute_forced,
  };
}
