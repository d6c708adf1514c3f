import type { ControlContext } from '../context.js';
import { ClientError } from '../errors.js';
import { NODE_FATE_POLL_MS } from '../limits.js';
import { isCommandError } from '../nodes/node-session.js';
import { nodeFor } from '../nodes/session-node.js';
import { restartAtOwner } from '../transports/restart.js';
import { disconnect } from './connections.js';
import { isBoundTo, type ConnectionState, type TransportState } from './state.js';

/**
 * What becomes of clients whose node dies. Control alone cannot tell a dead node from one that is cut off from it and
 * still carries its calls, and a client cannot tell a dead node from a broken network. So it takes both: a node is missing
 * here (`NodeRegistry.isMissing`), and its client says that nothing comes. Then the client makes a new transport on
 * a living node, under its old connection and stream ids.
 */

/** The node's socket is gone: clients whose path leads there look whether anything still comes. */
export function suspectTransports(context: ControlContext, nodeId: string): void {
  for (const connection of context.roster.connections()) {
    const { transport } = connection;
    if (transport === null || transport.isLost) continue;
    if (isBoundTo(transport, nodeId)) connection.channel.push({ event: 'transportSuspect' });
  }
}

/** The client says that nothing comes. Restarts ICE at a living node, and gives a dead one's transport up. Throws a ClientError. */
export async function recoverPath(context: ControlContext, connection: ConnectionState): Promise<void> {
  const { transport } = connection;
  if (transport === null) throw new ClientError('notConnected', 'There is no transport to restart.');
  // Whoever asks has not heard of it, or hears it once more while it makes another.
  if (transport.isLost) connection.channel.push({ event: 'transportLost' });
  const { restartsSent } = connection;
  while (!transport.isLost) {
    if (await isGone(context, connection, transport)) {
      loseTransport(context, connection, transport);
      return;
    }
    try {
      await connection.lock.run(async () => {
        // It has made another one meanwhile: nothing is wrong with that.
        if (connection.transport !== transport) return;
        // Offered since the client asked, by a move or for an earlier request: it has another path already.
        if (connection.restartsSent === restartsSent) await restartAtOwner(context, connection);
      });
      return;
    } catch (error) {
      if (isUnknownThere(error)) {
        loseTransport(context, connection, transport);
        return;
      }
      // The node went away under the command: its fate decides.
      if (context.nodes.session(transport.ownerNodeId) !== null || connection.ended) throw error;
    }
  }
}

/** The owner itself says that it has no such transport. */
function isUnknownThere(error: unknown): boolean {
  return error instanceof ClientError && isCommandError(error.cause, 'unknown-transport');
}

/** Waits until the owner is back or is missing. A move may name another owner meanwhile. */
async function isGone(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): Promise<boolean> {
  const { nodes } = context;
  for (;;) {
    if (connection.ended || connection.transport !== transport) return false;
    if (nodes.session(transport.ownerNodeId) !== null) return false;
    if (nodes.isMissing(transport.ownerNodeId)) return true;
    await new Promise((resolve) => setTimeout(resolve, NODE_FATE_POLL_MS));
  }
}

/** The transport is gone for good. Its client is asked for another one, and ends when it makes none in time. */
export function loseTransport(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): void {
  if (connection.ended || connection.transport !== transport || transport.isLost) return;
  transport.isLost = true;
  const { transportId, ownerNodeId: nodeId } = transport;
  context.log.warn(
    { transportId, nodeId },
    'a transport is lost with its node; its client is to make another',
  );
  connection.channel.push({ event: 'transportLost' });
  connection.rejoinTimer ??= setTimeout(() => {
    connection.rejoinTimer = null;
    disconnect(context, connection);
  }, context.timings.rejoinMs);
  connection.rejoinTimer.unref();
}

/** Another transport has taken the place of this one: whoever may still hold it closes it. */
export async function retireTransport(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): Promise<void> {
  if (connection.rejoinTimer !== null) clearTimeout(connection.rejoinTimer);
  connection.rejoinTimer = null;
  const { transportId, ownerNodeId, upcomingOwner } = transport;
  const epoch = (await context.storage.transports.get(transportId))?.epochHighest ?? transport.epoch;
  await context.storage.transports.end(transportId, context.clockMs());
  const holders = new Set([ownerNodeId, ...(upcomingOwner === null ? [] : [upcomingOwner.nodeId])]);
  for (const nodeId of holders) {
    nodeFor(context, connection.session, nodeId)
      ?.command('closeTransport', { transportId, epoch, reason: 'replaced' })
      // One that does not hear of it reports the transport when it is back, and is told then.
      .catch(() => undefined);
  }
}
