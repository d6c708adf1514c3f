import type { ControlContext } from '../context.js';
import type { NegotiatedState } from '../negotiation/state.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { refresh } from './configure.js';
import { nodeFor } from '../nodes/session-node.js';

/**
 * Goes back to what was negotiated before an offer that failed: the client rolls that offer back too, and its next one
 * builds on what it had. SSRCs that the failed offer was given stay used: its node may have sent with them already.
 */
export function restoreNegotiation(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  before: NegotiatedState,
): void {
  const { version, ssrcsUsed } = transport.description.negotiated;
  transport.description = { ...transport.description, negotiated: { ...before, version, ssrcsUsed } };
  // The node may have taken what it did not answer.
  refresh(context, connection);
  void context.routes.push(connection.session);
}

/**
 * Takes back a transport whose first offer failed: the client rolls back to no transport at all, and comes again with
 * other ICE credentials. One that was to be replaced stays known, for the sake of what it published.
 */
export async function discardTransport(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
  replaced: TransportState | null = null,
): Promise<void> {
  const { transportId, epoch, ownerNodeId } = transport;
  context.roster.forgetTransport(connection);
  connection.transport = replaced;
  context.roster.indexTransport(connection);
  const fields = { transportId, epoch, reason: 'offerFailed' };
  nodeFor(context, connection.session, ownerNodeId)
    ?.command('closeTransport', fields)
    // A node that does not hear of it reports the transport when it is back, and is told then.
    .catch(() => undefined);
  void context.routes.push(connection.session);
  const nowMs = context.clockMs();
  await context.unwritten.write('the end of a transport', async () => {
    await context.storage.transports.end(transportId, nowMs);
  });
}
