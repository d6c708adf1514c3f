import type { ControlContext } from '../context.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { publishReady } from '../roster/streams.js';

/** The transport's handshake is over: what its connection publishes can be told of. */
export function noteConnected(
  context: ControlContext,
  connection: ConnectionState,
  transport: TransportState,
): void {
  const { transportId, ownerNodeId: nodeId, epoch } = transport;
  transport.isConnected = true;
  transport.connected.resolve();
  context.log.info({ transportId, nodeId }, 'transport connected');
  const failed = (message: string) => (error: unknown) =>
    context.log.error({ error: String(error) }, message);
  context.storage.transports.setConnected(transportId, epoch).catch(failed('noting a handshake failed'));
  publishReady(context, connection).catch(failed('publishing failed'));
}
