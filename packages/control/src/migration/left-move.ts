import type { ControlContext } from '../context.js';
import type { TransportState } from '../roster/state.js';
import { grantedOwner } from './granted-owner.js';

/**
 * Ends a move that nobody waits for any more: an earlier control began it, or its source could not be asked. Unless the
 * state has left, the source keeps the transport, in the epoch that it says: it may have taken it back meanwhile. True when
 * the grant is closed. The connection's lock must be held.
 */
export async function endLeftMove(
  { storage, nodes, log }: ControlContext,
  transport: TransportState,
): Promise<boolean> {
  const { transportId, ownerNodeId } = transport;
  const intent = (await storage.transports.get(transportId))?.intent ?? null;
  const source = nodes.session(ownerNodeId);
  if (intent === null || source === null) return false;
  const { moveId, targetNodeId } = intent;
  let keptAs: number | undefined;
  try {
    keptAs = (await source.command('cancelMove', { moveId, transportId })).epoch;
  } catch (error) {
    // The nodes finish it between them and say how it ended.
    log.info({ moveId, transportId, error: String(error) }, 'a move goes on without control');
    return false;
  }
  // Only what the source keeps is taken from the target.
  if (keptAs === undefined) return false;
  await nodes
    .session(targetNodeId)
    ?.command('cancelMove', { moveId, transportId })
    .catch(() => undefined);
  const owner = grantedOwner(transport, intent, { ownerNodeId, epoch: keptAs });
  if (owner === null || !(await storage.transports.endMove(transportId, { moveId, ...owner }))) return false;
  transport.epoch = owner.epoch;
  transport.upcomingOwner = null;
  return true;
}
