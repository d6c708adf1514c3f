import { z } from 'zod';
import { gapReport, moveMeasures } from '@godwit/protocol';
import type { MigrationRecord, MoveRecord, RosterStorage } from '@godwit/storage';

const gapView = z.object({
  ms: z
    .number()
    .nullable()
    .describe('Largest time between two presented frames around the move; null when nobody measured it.'),
  source: z.enum(['client', 'none']).describe('Who measured it: the receiving page, or nobody.'),
  report: gapReport.optional(),
});

const connectionView = z.object({
  connectionId: z.string(),
  moveId: z.string(),
  outcome: z.enum(['running', 'completed', 'rehearsed', 'cancelled', 'failed', 'disconnected']),
  from: z.string().describe('Node that owned the transport before.'),
  to: z.string(),
  failure: z.string().optional().describe('Why the move did not complete.'),
  gap: gapView,
  measures: moveMeasures
    .optional()
    .describe('What the nodes measured with their own clocks; a step that was not reached is absent.'),
});

/** What `POST S/migrate` answers, as the start of every answer about a migration. */
export const migrationStarted = z.object({
  id: z.string(),
  sessionId: z.string(),
  status: z.enum(['pending', 'running', 'completed', 'failed', 'cancelled']),
});

/** A migration as `GET S/migrate/{id}` tells it. */
export const migrationView = migrationStarted.extend({
  target: z.string().describe('Node that the session moves to.'),
  rehearsal: z.boolean(),
  createdAt: z.number().describe('Milliseconds since 1970.'),
  endedAt: z.number().nullable(),
  progress: z.object({ moved: z.number().int(), total: z.number().int() }),
  connections: z.array(connectionView),
});
export type MigrationView = z.infer<typeof migrationView>;

/** The answer to a started migration. */
export function viewStarted(migration: MigrationRecord): z.infer<typeof migrationStarted> {
  const { migrationId: id, sessionId, status } = migration;
  return { id, sessionId, status };
}

/** Reads a migration with its moves. */
export async function viewMigration(
  storage: RosterStorage,
  migration: MigrationRecord,
): Promise<MigrationView> {
  const moves = await storage.moves.listOfMigration(migration.migrationId);
  return {
    ...viewStarted(migration),
    target: migration.targetNodeId,
    rehearsal: migration.rehearsal,
    createdAt: migration.createdAtMs,
    endedAt: migration.endedAtMs,
    progress: { moved: migration.moved, total: migration.total },
    connections: moves.map(viewMove),
  };
}

function viewMove(move: MoveRecord): z.infer<typeof connectionView> {
  const report = gapReport.safeParse(move.gap);
  const measures = moveMeasures.safeParse(move.measures);
  return {
    connectionId: move.connectionId,
    moveId: move.moveId,
    outcome: connectionView.shape.outcome.catch('running').parse(move.outcome),
    from: move.fromNodeId,
    to: move.toNodeId,
    ...(move.failure === null ? {} : { failure: move.failure }),
    gap: report.success
      ? { ms: report.data.frameGapMsMax, source: 'client', report: report.data }
      : { ms: null, source: 'none' },
    ...(measures.success ? { measures: measures.data } : {}),
  };
}
