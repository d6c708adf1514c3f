import type { ControlContext } from '../context.js';
import type { TransportState } from '../roster/state.js';
import { grantedOwner, latestIntent, type ReportedOwner } from './granted-owner.js';

/**
 * Records an owner that the transport's grant allows: of the move that runs, or a higher epoch of the last one that ended.
 * True when the record changed hands or a running move ended with it. The connection's lock must be held.
 */
export async function adoptOwner(
  { storage: { transports } }: ControlContext,
  transport: TransportState,
  reported: ReportedOwner,
): Promise<boolean> {
  const { transportId } = transport;
  const row = await transports.get(transportId);
  const intent = latestIntent(row);
  const granted = intent === null ? null : grantedOwner(transport, intent, reported);
  if (intent === null || granted === null) return false;
  const result = { moveId: intent.moveId, ...granted };
  const isOpen = row?.intent != null;
  const won = isOpen
    ? await transports.endMove(transportId, result)
    : await transports.correctMove(transportId, result);
  if (!won) return false;
  transport.ownerNodeId = granted.ownerNodeId;
  transport.epoch = granted.epoch;
  transport.upcomingOwner = null;
  // A node said so, in this life of control: it need not report the transport once more.
  transport.claimed = true;
  return true;
}
