import type { TransportMedia } from '@godwit/protocol';
import type { NodeContext } from '../node-context.js';

/** Forgets a transport in all its places; zeroes its keys. */
export function removeTransport(context: NodeContext, transportId: string): void {
  const host = context.transports.get(transportId);
  if (host === undefined) return;
  host.dtls?.close();
  context.transports.delete(transportId);
  context.router.removeTransport(transportId);
  if (context.datapath.hasTransport(transportId)) context.datapath.removeTransport(transportId);
}

/** No ingress, no egress: what a node that only relays a transport's ciphertext needs of its media. */
export const NO_MEDIA: TransportMedia = { generation: 0, ingress: [], egress: [] };
