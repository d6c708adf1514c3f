import type { Datapath } from '@godwit/datapath';
import type { TransportMedia } from '@godwit/protocol';
import type { NodeContext } from '../node-context.js';

/** Forgets a transport in all its places; zeroes its keys. */
export function removeTransport(context: NodeContext, transportId: string): void {
  const host = context.transports.get(transportId);
  if (host === undefined) return;
  host.dtls?.close();
  context.transports.delete(transportId);
  context.router.removeTransport(transportId);
  removeDatapathTransport(context.datapath, transportId);
}

export function removeDatapathTransport(datapath: Datapath, transportId: string): void {
  if (datapath.hasTransport(transportId)) datapath.removeTransport(transportId);
}

/** No ingress, no egress: what a node that only relays a transport's ciphertext needs of its media. */
export const NO_MEDIA: TransportMedia = { generation: 0, ingress: [], egress: [] };
