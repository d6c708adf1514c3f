import type { SessionRecord } from '@godwit/storage';
import type { ErrorName } from '../errors.js';
import { chooseTarget, type PlacementNode } from '../nodes/placement.js';

export interface MigrationQuestion {
  readonly session: Pick<SessionRecord, 'createdAtMs' | 'lastMigrationEndedAtMs' | 'homeNodeId'>;
  readonly running: boolean;
  readonly requestedTarget: string | null;
  readonly nodes: readonly PlacementNode[];
  /** Owners of the session's transports, one entry each. */
  readonly owners: readonly string[];
  readonly minAgeMs: number;
  readonly nowMs: number;
}

export type MigrationDecision =
  | { readonly allowed: true; readonly targetNodeId: string }
  | { readonly allowed: false; readonly error: ErrorName; readonly description: string };

/** May the session migrate now, and where to? Pure; the database still has the last word about a second migration. */
export function decideMigration(question: MigrationQuestion): MigrationDecision {
  const { session, requestedTarget, nodes, minAgeMs, nowMs } = question;
  const refuse = (error: ErrorName, description: string): MigrationDecision => ({
    allowed: false,
    error,
    description,
  });
  const named = nodes.find((node) => node.nodeId === requestedTarget);
  if (requestedTarget !== null && named === undefined) {
    return refuse('nodeNotFound', `There is no node ${requestedTarget}; GET /admin/v1/nodes lists them.`);
  }
  if (question.running) return refuse('migrationInProgress', 'Wait for the current migration to end.');
  const sinceMs = nowMs - Math.max(session.createdAtMs, session.lastMigrationEndedAtMs ?? 0);
  if (minAgeMs > 0 && sinceMs < minAgeMs) {
    const seconds = Math.ceil((minAgeMs - sinceMs) / 1_000);
    return refuse('migrationTooSoon', `Try again in ${seconds} s (GODWIT_MIGRATION_MIN_AGE_SECONDS).`);
  }
  if (named !== undefined) {
    return named.inService
      ? { allowed: true, targetNodeId: named.nodeId }
      : refuse('targetNotInService', `The node ${named.nodeId} is not in service.`);
  }
  const targetNodeId = chooseTarget(nodes, question.owners, session.homeNodeId);
  return targetNodeId === null
    ? refuse('noOtherNode', 'A migration needs a second media node in service.')
    : { allowed: true, targetNodeId };
}
