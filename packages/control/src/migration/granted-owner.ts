import type { MoveIntent, TransportRecord } from '@godwit/storage';

export interface Ownership {
  readonly ownerNodeId: string;
  readonly epoch: number;
}

/** What a node says; it may not know the epoch of another. */
export interface ReportedOwner {
  readonly ownerNodeId: string;
  readonly epoch?: number | undefined;
}

/** Of the move that runs, else of the last one that ended. */
export function latestIntent(row: TransportRecord | null): MoveIntent | null {
  return row?.intent ?? row?.lastIntent ?? null;
}

/**
 * Who owns after a move, as its grant allows it: the target by its epoch only, the source by the reserved one when it took
 * the transport back and else as before. Null: the report fits no grant.
 */
export function grantedOwner(
  before: Ownership,
  { sourceNodeId, targetNodeId, targetEpoch, returnEpoch }: MoveIntent,
  { ownerNodeId, epoch }: ReportedOwner,
): Ownership | null {
  if (ownerNodeId === targetNodeId) return epoch === targetEpoch ? { ownerNodeId, epoch } : null;
  if (ownerNodeId !== sourceNodeId) return null;
  if (epoch === returnEpoch) return { ownerNodeId, epoch };
  return before.ownerNodeId === sourceNodeId ? { ...before } : null;
}
