import { ARRIVALS_MAX, type FrozenMedia, type Grant } from '@godwit/datapath';
import { absSendTimeMicros } from '@godwit/rtp';
import { PROFILE_SIZES, SrtpReceiver, SrtpSender } from '@godwit/transport';
import type { Core } from './core.js';
import type { Egress } from './egress.js';
import { forwardToEgress } from './forward.js';
import { changeInbound } from './inbound.js';
import { copyKeys } from './keys.js';
import { SourcePacket } from './source-packet.js';
import type { TransportEntry } from './transport-entry.js';

const ABS_SEND_TIME_WRAP_MICROS = 64_000_000;
const SOURCE_INDEX_LIMIT = 2 ** 48;
const cached = new SourcePacket();

/** As Datapath.thaw: everything that can fail comes first. */
export function thawTransport(core: Core, transport: TransportEntry, state: FrozenMedia, grant: Grant): void {
  if (transport.ownership.kind !== 'keyless') {
    throw new Error(`transport ${transport.id} is ${transport.ownership.kind}`);
  }
  assertRewriteState(state);
  const keys = copyKeys(state.keys);
  const sender = SrtpSender.thaw(keys, state, grant);
  const receiver = SrtpReceiver.thaw(keys, state);
  transport.ownership = { kind: 'owner', keys, sender, receiver, tagBytes: PROFILE_SIZES[keys.profile].tag };
  const nowMicros = core.clockMicros();
  transport.ingress.restore(state.ingress);
  transport.transportCcNext = state.transportCcNext;
  transport.absSendTimeOffsetMicros = absSendTimeOffset(state.absSendTime, nowMicros);
  for (const { sequence, ageMicros } of state.arrivals)
    transport.arrivals.add(sequence, nowMicros - ageMicros);
  for (const frozen of state.egress) {
    transport.egresses.get(frozen.ssrc)?.thaw(frozen, sender.nextIndex(frozen.ssrc) ?? 0);
  }
  changeInbound(core, transport, { kind: 'own' });
  for (const egress of transport.egresses.values()) catchUp(core, egress);
}

/** Sends what came between the former owner's last packet and now, as far as it is cached. */
function catchUp(core: Core, egress: Egress): void {
  const stream = core.streams.getByText(egress.streamText);
  const { lastSourceIndex, isPaused } = egress.mapping;
  if (stream === null || isPaused || lastSourceIndex < 0) return;
  const { highest } = stream.window;
  const first = Math.max(lastSourceIndex + 1, highest - stream.cache.capacity + 1);
  for (let index = first; index <= highest; index += 1) {
    if (stream.cache.read(index, cached)) forwardToEgress(core, egress, cached);
  }
}

/** The new owner's abs-send-time goes on from the old one's value. */
function absSendTimeOffset(value: number, nowMicros: number): number {
  const offset = absSendTimeMicros(value) - (nowMicros % ABS_SEND_TIME_WRAP_MICROS);
  return offset < 0 ? offset + ABS_SEND_TIME_WRAP_MICROS : offset;
}

/** The SRTP part is checked where it is thawed. */
function assertRewriteState(state: FrozenMedia): void {
  if (state.arrivals.length > ARRIVALS_MAX) throw new RangeError('too many arrivals in the state');
  const ssrcs = new Set<number>();
  for (const { ssrc, lastSourceIndex, mappings } of state.egress) {
    if (ssrcs.has(ssrc)) throw new RangeError(`egress ${ssrc} is named twice in the state`);
    ssrcs.add(ssrc);
    if ((lastSourceIndex === null) !== (mappings.length === 0)) {
      throw new RangeError(`egress ${ssrc} has packets without a mapping or a mapping without packets`);
    }
    let from = -1;
    for (const { fromSourceIndex, indexOffset } of mappings) {
      const outIndex = fromSourceIndex + indexOffset;
      const isPlausible = fromSourceIndex > from && outIndex >= 0 && outIndex < SOURCE_INDEX_LIMIT;
      if (!isPlausible) throw new RangeError(`egress ${ssrc} has an impossible mapping`);
      from = fromSourceIndex;
    }
  }
}
