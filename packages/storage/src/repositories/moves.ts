import type { Insertable, Kysely, Selectable } from 'kysely';
import type { Json, MoveRecord } from '../records.js';
import { numberOrNull, type Schema } from '../schema.js';

export interface MoveRepository {
  /** Writes moves as they stand, new ones and those known, in one statement. Leaves reports of clients alone. */
  save(moves: readonly MoveRecord[]): Promise<void>;
  /** Keeps the first report of that connection. False when the move is not its own or already has one. */
  saveGap(moveId: string, connectionId: string, gap: Json): Promise<boolean>;
  listOfMigration(migrationId: string): Promise<MoveRecord[]>;
}

export function moveRepository(database: Kysely<Schema>): MoveRepository {
  return {
    async save(moves) {
      if (moves.length === 0) return;
      await database
        .insertInto('moves')
        .values(moves.map(toRow))
        .onConflict((conflict) =>
          conflict.column('move_id').doUpdateSet((row) => ({
            outcome: row.ref('excluded.outcome'),
            failure: row.ref('excluded.failure'),
            measures: row.ref('excluded.measures'),
            ended_at_ms: row.ref('excluded.ended_at_ms'),
          })),
        )
        .execute();
    },
    async saveGap(moveId, connectionId, gap) {
      const result = await database
        .updateTable('moves')
        .set({ gap: JSON.stringify(gap) })
        .where('move_id', '=', moveId)
        .where('connection_id', '=', connectionId)
        .where((expression) => expression(expression.cast<string>('gap', 'text'), '=', 'null'))
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async listOfMigration(migrationId) {
      const rows = await database
        .selectFrom('moves')
        .selectAll()
        .where('migration_id', '=', migrationId)
        .orderBy('started_at_ms')
        .orderBy('move_id')
        .execute();
      return rows.map(toRecord);
    },
  };
}

function toRow(move: MoveRecord): Insertable<Schema['moves']> {
  return {
    move_id: move.moveId,
    migration_id: move.migrationId,
    connection_id: move.connectionId,
    from_node_id: move.fromNodeId,
    to_node_id: move.toNodeId,
    outcome: move.outcome,
    failure: move.failure,
    gap: JSON.stringify(move.gap),
    measures: JSON.stringify(move.measures),
    started_at_ms: move.startedAtMs,
    ended_at_ms: move.endedAtMs,
  };
}

function toRecord(row: Selectable<Schema['moves']>): MoveRecord {
  return {
    moveId: row.move_id,
    migrationId: row.migration_id,
    connectionId: row.connection_id,
    fromNodeId: row.from_node_id,
    toNodeId: row.to_node_id,
    outcome: row.outcome,
    failure: row.failure,
    gap: row.gap as Json,
    measures: row.measures as Json,
    startedAtMs: Number(row.started_at_ms),
    endedAtMs: numberOrNull(row.ended_at_ms),
  };
}
