import { DATAGRAM_BYTES_MAX, GUARD_WINDOW_BITS } from '@godwit/datapath';
import type { SrtpSender } from '@godwit/transport';
import type { Core } from './core.js';
import { EgressWriter, type OutgoingNumbers } from './egress-writer.js';
import type { Egress } from './egress.js';
import { FIRST_INDEX_MAX } from './limits.js';
import { sendCiphertext } from './paths.js';
import type { SourcePacket } from './source-packet.js';
import type { Ownership, TransportEntry } from './transport-entry.js';

type Owned = Extract<Ownership, { kind: 'owner' | 'frozen' }>;

// Used by one packet at a time: everything here is synchronous.
const writer = new EgressWriter();
const numbers: OutgoingNumbers = { ssrc: 0, payloadType: 0, sequence: 0 };
const RTX_OSN_BYTES = 2;

/** Sends one packet of a stream to one subscriber, rewritten and protected. */
export function forwardToEgress(core: Core, egress: Egress, packet: SourcePacket): void {
  const { ownership } = egress.transport;
  if (!egress.isEnabled || ownership.kind !== 'owner') return;
  const payloadType = egress.payloadType(packet.payloadType);
  if (payloadType < 0) {
    core.counters.dropped_payload_type += 1;
    return;
  }
  const outIndex = outIndexOf(core, egress, ownership.sender, packet.index);
  if (outIndex < 0) return;
  numbers.ssrc = egress.ssrc;
  numbers.payloadType = payloadType;
  numbers.sequence = outIndex & 0xffff;
  const payloadBytes = protectAndSend(core, egress, ownership, packet, outIndex, -1);
  if (payloadBytes < 0) return;
  egress.mapping.advance(packet.index);
  egress.packets += 1;
  egress.octets += payloadBytes;
  core.counters.packets_forwarded += 1;
  core.counters.bytes_forwarded += payloadBytes;
}

/** Sends one packet once more, as RTX (RFC 4588). `outSequence` is the number under which it was sent. */
export function retransmitToEgress(
  core: Core,
  egress: Egress,
  packet: SourcePacket,
  outSequence: number,
): void {
  const { ownership } = egress.transport;
  const payloadType = egress.rtxPayloadType(packet.payloadType);
  if (ownership.kind !== 'owner' || egress.rtxSsrc === null || payloadType < 0) return;
  const rtxIndex = nextFreeIndex(core, ownership.sender, egress.rtxSsrc);
  if (rtxIndex < 0) {
    core.counters.dropped_limited += 1;
    return;
  }
  numbers.ssrc = egress.rtxSsrc;
  numbers.payloadType = payloadType;
  numbers.sequence = rtxIndex & 0xffff;
  if (protectAndSend(core, egress, ownership, packet, rtxIndex, outSequence) >= 0) {
    core.counters.packets_retransmitted += 1;
  }
}

/** -1 when the packet must not be sent (any more). */
function outIndexOf(core: Core, egress: Egress, sender: SrtpSender, sourceIndex: number): number {
  const { mapping } = egress;
  if (mapping.isBeginning(sourceIndex)) {
    const first = nextFreeIndex(core, sender, egress.ssrc);
    if (first < 0) core.counters.dropped_limited += 1;
    else mapping.begin(sourceIndex, first);
    return first;
  }
  const outIndex = mapping.toOut(sourceIndex);
  if (outIndex < egress.floorOutIndex || outIndex <= mapping.lastOutIndex - GUARD_WINDOW_BITS) {
    core.counters.dropped_late += 1;
    return -1;
  }
  return outIndex;
}

/** -1 while a grant limits us to SSRCs that the former owner had used: a new one waits for RELEASE. */
function nextFreeIndex(core: Core, sender: SrtpSender, ssrc: number): number {
  const next = sender.nextIndex(ssrc);
  if (next !== null) return next;
  return sender.isLimited ? -1 : core.randomInteger(1, FIRST_INDEX_MAX);
}

/** Returns the payload bytes sent, -1 when nothing was. `originalSequence` below 0: not a retransmission. */
function protectAndSend(
  core: Core,
  egress: Egress,
  ownership: Owned,
  packet: SourcePacket,
  index: number,
  originalSequence: number,
): number {
  const headerLength = writer.measure(egress, packet);
  const payloadStart = originalSequence < 0 ? headerLength : headerLength + RTX_OSN_BYTES;
  const length = payloadStart + packet.length - packet.headerLength;
  if (length + ownership.tagBytes > DATAGRAM_BYTES_MAX) {
    core.counters.dropped_oversize += 1;
    return -1;
  }
  const out = core.slab.take(length + ownership.tagBytes);
  writer.write(out, egress, packet, numbers, core.clockMicros());
  if (originalSequence >= 0) out.writeUInt16BE(originalSequence, headerLength);
  packet.bytes.copy(out, payloadStart, packet.headerLength, packet.length);
  if (ownership.sender.protectRtp(out, headerLength, length, index) < 0) {
    reportGuard(core, egress.transport, ownership.sender);
    return -1;
  }
  sendCiphertext(core, egress.transport, out);
  return length - headerLength;
}

/** Tells of a refused encryption. */
export function reportGuard(core: Core, transport: TransportEntry, sender: SrtpSender): void {
  core.counters.guard_refused += 1;
  const refusal = sender.lastRefusal;
  if (refusal !== null) core.exceptions.push({ kind: 'guard', transportId: transport.id, ...refusal });
}
