import type { ControlContext } from '../context.js';
import type { TransportState } from '../roster/state.js';

/**
 * Ends a move that nobody waits for any more: an earlier control began it, or its source could not be asked. Unless the
 * state has left, the source keeps the transport. True when the grant is closed. The connection's lock must be held.
 */
export async function endLeftMove(
  { storage, nodes, log }: ControlContext,
  transport: TransportState,
): Promise<boolean> {
  const { transportId, ownerNodeId, epoch } = transport;
  const intent = (await storage.transports.get(transportId))?.intent ?? null;
  const source = nodes.session(ownerNodeId);
  if (intent === null || source === null) return false;
  const { moveId, targetNodeId } = intent;
  try {
    await source.command('cancelMove', { moveId, transportId });
  } catch (error) {
    // The nodes finish it between them and say how it ended.
    log.info({ moveId, transportId, error: String(error) }, 'a move goes on without control');
    return false;
  }
  await nodes
    .session(targetNodeId)
    ?.command('cancelMove', { moveId, transportId })
    .catch(() => undefined);
  if (!(await storage.transports.endMove(transportId, { moveId, ownerNodeId, epoch }))) return false;
  transport.upcomingOwner = null;
  return true;
}
