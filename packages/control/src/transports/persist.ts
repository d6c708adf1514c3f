import type { Json } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import type { TransportState } from '../roster/state.js';

/** Writes the negotiated state beside the transport's ownership, so that the next control can take it up. */
export async function saveDescription(context: ControlContext, transport: TransportState): Promise<void> {
  await context.storage.transports.saveNegotiated(transport.transportId, descriptionJson(transport));
}

/** The description as plain data. */
export function descriptionJson(transport: Pick<TransportState, 'description'>): Json {
  return JSON.parse(JSON.stringify(transport.description)) as Json;
}
