import type { MoveIntent } from '@godwit/storage';

export interface Ownership {
  readonly ownerNodeId: string;
  readonly epoch: number;
}

/**
 * Who owns after a move, as the intent allows it: the target by its granted epoch only, the source by the reserved one
 * when it took the transport back and else as before. Null: the report fits no grant.
 */
export function grantedOwner(before: Ownership, intent: MoveIntent, reported: Ownership): Ownership | null {
  if (reported.ownerNodeId === intent.targetNodeId)
    return reported.epoch === intent.targetEpoch ? reported : null;
  if (reported.ownerNodeId !== before.ownerNodeId) return null;
  return reported.epoch === intent.returnEpoch ? reported : { ...before };
}
