import { gapReport } from '@godwit/protocol';
import type { MigrationRecord, MoveRecord, Storage } from '@godwit/storage';

/** A migration as `GET S/migrate/{id}` tells it. */
export interface MigrationView {
  readonly id: string;
  readonly sessionId: string;
  readonly status: string;
  readonly target: string;
  readonly rehearsal: boolean;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly progress: { readonly moved: number; readonly total: number };
  readonly connections: readonly MigrationConnectionView[];
}

export interface MigrationConnectionView {
  readonly connectionId: string;
  readonly moveId: string;
  /** completed, rehearsed, cancelled, failed, disconnected; running until then. */
  readonly outcome: string;
  readonly from: string;
  readonly to: string;
  readonly failure?: string;
  /** Largest gap between two presented frames around the move; null when nobody measured it. */
  readonly gap: { readonly ms: number | null; readonly source: 'client' | 'none'; readonly report?: unknown };
  readonly measures?: unknown;
}

/** Reads a migration with its moves. */
export async function viewMigration(storage: Storage, migration: MigrationRecord): Promise<MigrationView> {
  const moves = await storage.moves.listOfMigration(migration.migrationId);
  return {
    id: migration.migrationId,
    sessionId: migration.sessionId,
    status: migration.status,
    target: migration.targetNodeId,
    rehearsal: migration.rehearsal,
    createdAt: migration.createdAtMs,
    endedAt: migration.endedAtMs,
    progress: { moved: migration.moved, total: migration.total },
    connections: moves.map(viewMove),
  };
}

function viewMove(move: MoveRecord): MigrationConnectionView {
  const report = gapReport.safeParse(move.gap);
  return {
    connectionId: move.connectionId,
    moveId: move.moveId,
    outcome: move.outcome ?? 'running',
    from: move.fromNodeId,
    to: move.toNodeId,
    ...(move.failure === null ? {} : { failure: move.failure }),
    gap: report.success
      ? { ms: report.data.frameGapMsMax, source: 'client', report: report.data }
      : { ms: null, source: 'none' },
    ...(move.measures === null ? {} : { measures: move.measures }),
  };
}
