import type { FrozenArrival, FrozenMedia, Grant } from '@godwit/datapath';
import { toAbsSendTime } from '@godwit/rtp';
import type { Core } from './core.js';
import { changeInbound } from './inbound.js';
import { copyKeys } from './keys.js';
import type { TransportEntry } from './transport-entry.js';

/** As Datapath.freeze. */
export function freezeTransport(core: Core, transport: TransportEntry): FrozenMedia {
  const { ownership } = transport;
  if (ownership.kind !== 'owner') throw new Error(`transport ${transport.id} is ${ownership.kind}`);
  if (ownership.sender.isLimited) throw new Error(`transport ${transport.id} is limited by a grant`);
  const sent = ownership.sender.freeze();
  const received = ownership.receiver.freeze();
  transport.ownership = { ...ownership, kind: 'frozen' };
  changeInbound(core, transport, { kind: 'hold' });
  const nowMicros = core.clockMicros();
  return {
    keys: copyKeys(ownership.keys),
    ...received,
    ...sent,
    ingress: transport.ingress.freeze(),
    egress: Array.from(transport.egresses.values(), (egress) =>
      egress.freeze(core.streams.getByText(egress.streamText)?.window.highest ?? -1),
    ),
    transportCcNext: transport.transportCcNext,
    arrivals: freezeArrivals(transport, nowMicros),
    absSendTime: toAbsSendTime(nowMicros + transport.absSendTimeOffsetMicros),
  };
}

/** They stay here too, for the case that the transport is taken back. */
function freezeArrivals(transport: TransportEntry, nowMicros: number): FrozenArrival[] {
  const arrivals = transport.arrivals.take();
  for (const { sequence, atMicros } of arrivals) transport.arrivals.add(sequence, atMicros);
  return arrivals.map(({ sequence, atMicros }) => ({
    sequence,
    ageMicros: Math.max(0, Math.round(nowMicros - atMicros)),
  }));
}

/** As Datapath.unfreeze. */
export function unfreezeTransport(core: Core, transport: TransportEntry, skip: number, grant: Grant): void {
  const { ownership } = transport;
  if (ownership.kind !== 'frozen') throw new Error(`transport ${transport.id} is ${ownership.kind}`);
  ownership.sender.resume(skip, grant);
  transport.ownership = { ...ownership, kind: 'owner' };
  for (const egress of transport.egresses.values()) {
    egress.mapping.skip(skip);
    egress.floorOutIndex = ownership.sender.nextIndex(egress.ssrc) ?? 0;
  }
  changeInbound(core, transport, { kind: 'own' });
}

/** As Datapath.liftCeiling. */
export function liftCeilingOf(transport: TransportEntry, skip: number): void {
  const { ownership } = transport;
  if (ownership.kind !== 'owner') return;
  const { sender } = ownership;
  const egresses = [...transport.egresses.values()];
  const before = egresses.map(({ ssrc }) => sender.nextIndex(ssrc));
  sender.liftCeiling(skip);
  egresses.forEach((egress, at) => {
    const next = sender.nextIndex(egress.ssrc);
    const former = before[at] ?? null;
    if (next === null || former === null || next === former) return;
    egress.mapping.skip(next - former);
    egress.floorOutIndex = next;
  });
}
