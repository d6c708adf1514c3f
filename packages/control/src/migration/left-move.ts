import type { MoveIntent } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { isCommandError } from '../nodes/node-session.js';
import { nodeFor } from '../nodes/session-node.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { configure } from '../transports/configure.js';
import { adoptOwner } from './adopt-owner.js';
import { grantedOwner, type ReportedOwner } from './granted-owner.js';

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
  const { storage, log } = context;
  const { transportId, ownerNodeId } = transport;
  const intent = (await storage.transports.get(transportId))?.intent ?? null;
  const source = nodeFor(context, connection.session, ownerNodeId);
  if (intent === null || source === null) return false;
  const { moveId } = intent;
  let keptAs: number | undefined;
  try {
    keptAs = (await source.command('cancelMove', { moveId, transportId })).epoch;
  } catch (error) {
    if (isCommandError(error, 'too-late')) return endTransferred(context, connection, transport, intent);
    // The nodes finish it between them and say how it ended.
    log.info({ moveId, transportId, error: String(error) }, 'a move goes on without control');
    return false;
  }
  if (keptAs === undefined) {
    const owned = await askTarget(context, connection, transportId, intent);
    if (owned === 'let-go' || owned === 'unknown') return false;
    return adoptTarget(context, connection, transport, intent, owned.epoch);
  }
  // Only what the source keeps is taken from the target.
  await askTarget(context, connection, transportId, intent);
  return recordKept(context, transport, intent, keptAs);
}

async function recordKept(
  { storage }: ControlContext,
  transport: TransportState,
  intent: MoveIntent,
  epoch: number,
): Promise<boolean> {
  const { transportId, ownerNodeId } = transport;
  const owner = grantedOwner(transport, intent, { ownerNodeId, epoch });
  if (owner === null || !(await storage.transports.endMove(transportId, { moveId: intent.moveId, ...owner })))
    return false;
  transport.epoch = owner.epoch;
  transport.upcomingOwner = null;
  return true;
}

/**
 * The state has left and the source waits for its target. One that owns is adopted, and the source hears it from us; one
 * that has let go, or counts as dead, leaves the source to take the transport back at our word (HANDOVER 2.6).
 */
async function endTransferred(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  intent: MoveIntent,
): Promise<boolean> {
  const { transportId, ownerNodeId: nodeId } = transport;
  const { moveId } = intent;
  const source = nodeFor(context, connection.session, nodeId);
  const owned = await askTarget(context, connection, transportId, intent);
  if (owned === 'unknown' || source === null) return false;
  if (owned === 'let-go') {
    const answer = await source
      .command('cancelMove', { moveId, transportId, force: true })
      .catch(() => ({ epoch: undefined }));
    if (answer.epoch === undefined || !(await recordKept(context, transport, intent, answer.epoch)))
      return false;
    context.log.info({ moveId, transportId, nodeId }, 'a transport was taken back at control’s word');
    await tellOfOwner(context, connection);
    return true;
  }
  if (!(await adoptTarget(context, connection, transport, intent, owned.epoch))) return false;
  await source
    .command('tellMove', { moveId, transportId, word: { kind: 'accepted' } })
    .catch(() => undefined);
  return true;
}

/** Gives the move up at the target. Whether it owns, and as what; `let-go`: it does not and never will by this move, or counts as dead. */
async function askTarget(
  context: ControlContext,
  { session }: ConnectionState,
  transportId: string,
  { moveId, targetNodeId, targetEpoch }: MoveIntent,
): Promise<{ readonly epoch: number } | 'let-go' | 'unknown'> {
  const target = nodeFor(context, session, targetNodeId);
  if (target === null) return context.nodes.isDead(targetNodeId) ? 'let-go' : 'unknown';
  try {
    // One that has forgotten the move says what it owns; one that remembers it says that it is too late.
    const { epoch } = await target.command('cancelMove', { moveId, transportId });
    return epoch === undefined ? 'let-go' : { epoch };
  } catch (error) {
    return isCommandError(error, 'too-late') ? { epoch: targetEpoch } : 'unknown';
  }
}

/** The word of the move's end was lost, and neither node repeats it: nobody asks the one that owns without a bound. */
async function adoptTarget(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  { moveId, targetNodeId: ownerNodeId }: MoveIntent,
  epoch: number,
): Promise<boolean> {
  if (!(await adoptOwnerAndTell(context, connection, transport, { ownerNodeId, epoch }))) return false;
  const { transportId } = transport;
  context.log.info({ moveId, transportId, nodeId: ownerNodeId }, 'a move had ended without word of it');
  return true;
}

/** {@link adoptOwner}, and everybody who is concerned learns of it. The connection's lock must be held. */
export async function adoptOwnerAndTell(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  reported: ReportedOwner,
): Promise<boolean> {
  if (!(await adoptOwner(context, transport, reported))) return false;
  await tellOfOwner(context, connection);
  return true;
}

async function tellOfOwner(context: ControlContext, connection: ConnectionState): Promise<void> {
  await context.routes.push(connection.session);
  await configure(context, connection);
}
