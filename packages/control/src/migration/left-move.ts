import type { MoveIntent } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { NodeCommandError } from '../nodes/node-session.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { configure } from '../transports/configure.js';
import { adoptOwner } from './adopt-owner.js';
import { grantedOwner } from './granted-owner.js';

/**
 * Ends a move that nobody waits for any more: an earlier control began it, or its source could not be asked. Unless the
 * state has left, the source keeps the transport, in the epoch that it says: it may have taken it back meanwhile. A source
 * that has forgotten the transport handed it over, if its target says so too. True when the grant is closed. The
 * connection's lock must be held.
 */
export async function endLeftMove(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): Promise<boolean> {
  const { storage, nodes, log } = context;
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
  if (keptAs === undefined) return adoptTarget(context, connection, transport, intent);
  // Only what the source keeps is taken from the target.
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

/** The word of the move's end was lost, and neither node repeats it: nobody asks the one that owns without a bound. */
async function adoptTarget(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  { moveId, targetNodeId: ownerNodeId, targetEpoch }: MoveIntent,
): Promise<boolean> {
  const { transportId } = transport;
  const target = context.nodes.session(ownerNodeId);
  if (target === null) return false;
  let epoch: number | undefined;
  try {
    // One that has forgotten the move says what it owns; one that remembers it says that it is too late.
    epoch = (await target.command('cancelMove', { moveId, transportId })).epoch;
  } catch (error) {
    if (error instanceof NodeCommandError && error.code === 'too-late') epoch = targetEpoch;
  }
  if (epoch === undefined || !(await adoptOwner(context, transport, { ownerNodeId, epoch }))) return false;
  context.log.info({ moveId, transportId, nodeId: ownerNodeId }, 'a move had ended without word of it');
  await context.routes.push(connection.session);
  await configure(context, connection);
  return true;
}
