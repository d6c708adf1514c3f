import type { Kysely, Selectable, Transaction } from 'kysely';
import { FORGOTTEN_ROWS_MAX, MIGRATION_HISTORY_MAX } from '../limits.js';
import type { MigrationRecord, MigrationStatus } from '../records.js';
import { numberOrNull, type Schema } from '../schema.js';

export interface MigrationRepository {
  /** False when the session has a migration that has not ended. */
  create(migration: MigrationRecord): Promise<boolean>;
  get(migrationId: string): Promise<MigrationRecord | null>;
  /** Newest first, at most MIGRATION_HISTORY_MAX. */
  listOfSession(sessionId: string): Promise<MigrationRecord[]>;
  progress(migrationId: string, progress: { moved: number; total: number }): Promise<void>;
  /** False when it had ended. Forgets what the session's history does not show any more, with its moves. */
  end(migrationId: string, status: MigrationStatus, nowMs: number): Promise<boolean>;
  /** Ends what a control that went away left unfinished in these sessions, their moves as failed; answers how many. */
  endUnfinished(sessionIds: readonly string[], nowMs: number): Promise<number>;
}

export function migrationRepository(database: Kysely<Schema>): MigrationRepository {
  return {
    async create(migration) {
      const result = await database
        .insertInto('migrations')
        .values({
          migration_id: migration.migrationId,
          session_id: migration.sessionId,
          status: migration.status,
          target_node_id: migration.targetNodeId,
          rehearsal: migration.rehearsal,
          moved: migration.moved,
          total: migration.total,
          created_at_ms: migration.createdAtMs,
          ended_at_ms: migration.endedAtMs,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async get(migrationId) {
      const query = database.selectFrom('migrations').selectAll().where('migration_id', '=', migrationId);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    async listOfSession(sessionId) {
      const rows = await database
        .selectFrom('migrations')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('created_at_ms', 'desc')
        .limit(MIGRATION_HISTORY_MAX)
        .execute();
      return rows.map(toRecord);
    },
    async progress(migrationId, progress) {
      await database
        .updateTable('migrations')
        .set({ status: 'running', ...progress })
        .where('migration_id', '=', migrationId)
        .where('ended_at_ms', 'is', null)
        .execute();
    },
    end: (migrationId, status, nowMs) =>
      database
        .transaction()
        .execute((transaction) => endMigration(transaction, { migrationId, status, nowMs })),
    endUnfinished: (sessionIds, nowMs) =>
      database.transaction().execute((transaction) => endUnfinished(transaction, sessionIds, nowMs)),
  };
}

async function endUnfinished(
  transaction: Transaction<Schema>,
  sessionIds: readonly string[],
  nowMs: number,
): Promise<number> {
  if (sessionIds.length === 0) return 0;
  const ended = await transaction
    .updateTable('migrations')
    .set({ status: 'failed', ended_at_ms: nowMs })
    .where('session_id', 'in', [...sessionIds])
    .where('ended_at_ms', 'is', null)
    .returning('migration_id')
    .execute();
  if (ended.length === 0) return 0;
  const migrationIds = ended.map((row) => row.migration_id);
  await transaction
    .updateTable('moves')
    .set({ outcome: 'failed', failure: 'cancelled', ended_at_ms: nowMs })
    .where('migration_id', 'in', migrationIds)
    .where('ended_at_ms', 'is', null)
    .execute();
  return ended.length;
}

async function endMigration(
  transaction: Transaction<Schema>,
  end: { readonly migrationId: string; readonly status: MigrationStatus; readonly nowMs: number },
): Promise<boolean> {
  const ended = await transaction
    .updateTable('migrations')
    .set({ status: end.status, ended_at_ms: end.nowMs })
    .where('migration_id', '=', end.migrationId)
    .where('ended_at_ms', 'is', null)
    .returning('session_id')
    .executeTakeFirst();
  if (ended === undefined) return false;
  await forgetOldest(transaction, ended.session_id);
  return true;
}

async function forgetOldest(transaction: Transaction<Schema>, sessionId: string): Promise<void> {
  const rows = await transaction
    .selectFrom('migrations')
    .select('migration_id')
    .where('session_id', '=', sessionId)
    .where('ended_at_ms', 'is not', null)
    .orderBy('created_at_ms', 'desc')
    .offset(MIGRATION_HISTORY_MAX)
    .limit(FORGOTTEN_ROWS_MAX)
    .execute();
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.migration_id);
  await transaction.deleteFrom('moves').where('migration_id', 'in', ids).execute();
  await transaction.deleteFrom('migrations').where('migration_id', 'in', ids).execute();
}

function toRecord(row: Selectable<Schema['migrations']>): MigrationRecord {
  return {
    migrationId: row.migration_id,
    sessionId: row.session_id,
    status: row.status as MigrationStatus,
    targetNodeId: row.target_node_id,
    rehearsal: row.rehearsal,
    moved: row.moved,
    total: row.total,
    createdAtMs: Number(row.created_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
  };
}
