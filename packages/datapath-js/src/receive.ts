import {
  extendSequence,
  extensionOffset,
  findHeaderExtension,
  isRtcp,
  readOriginalSequence,
  rtpHeaderLength,
  unwrapRtx,
} from '@godwit/rtp';
import { UNPROTECT_REPLAYED } from '@godwit/transport';
import type { Core } from './core.js';
import { feedStream } from './feed.js';
import type { Ingress } from './ingress-table.js';
import { UNKNOWN_SSRC_INTERVAL_MICROS } from './limits.js';
import type { Origin } from './origin.js';
import { noteAuthenticated } from './proof.js';
import { SourcePacket } from './source-packet.js';
import type { Ownership, TransportEntry } from './transport-entry.js';

type Owned = Extract<Ownership, { kind: 'owner' | 'frozen' }>;

// Used by one packet at a time: feeding a stream is synchronous and feeds no other.
const source = new SourcePacket();

/** SRTP or SRTCP of a client that is decrypted here. Decrypts in place: `bytes` must be ours. */
export function receiveOwn(
  core: Core,
  transport: TransportEntry,
  bytes: Buffer,
  arrivedAtMicros: number,
  origin: Origin,
): void {
  const { ownership } = transport;
  if (ownership.kind !== 'owner') {
    core.counters.dropped_no_keys += 1;
    return;
  }
  const isAuthentic = isRtcp(bytes)
    ? receiveRtcp(core, transport, ownership, bytes, arrivedAtMicros)
    : unprotect(core, ownership, bytes, arrivedAtMicros);
  if (!isAuthentic) return;
  noteAuthenticated(core, transport, origin, arrivedAtMicros);
  if (!isRtcp(bytes)) receiveRtp(core, transport, source);
}

function receiveRtcp(
  core: Core,
  transport: TransportEntry,
  ownership: Owned,
  bytes: Buffer,
  arrivedAtMicros: number,
): boolean {
  const length = ownership.receiver.unprotectRtcp(bytes, bytes.length);
  if (length < 0) return countRefusal(core, length);
  core.counters.rtcp_received += 1;
  core.exceptions.push({
    kind: 'rtcp',
    transportId: transport.id,
    generation: transport.generation,
    bytes: bytes.subarray(0, length),
    atMs: arrivedAtMicros / 1000,
  });
  return true;
}

/** Decrypts an RTP packet into `source`. */
function unprotect(core: Core, ownership: Owned, bytes: Buffer, arrivedAtMicros: number): boolean {
  const headerLength = rtpHeaderLength(bytes, bytes.length);
  if (headerLength < 0) {
    core.counters.dropped_malformed += 1;
    return false;
  }
  const length = ownership.receiver.unprotectRtp(bytes, headerLength, bytes.length);
  if (length < 0) return countRefusal(core, length);
  source.set(bytes, headerLength, length, ownership.receiver.lastIndex, arrivedAtMicros);
  return true;
}

function countRefusal(core: Core, code: number): false {
  if (code === UNPROTECT_REPLAYED) core.counters.dropped_replayed += 1;
  else core.counters.dropped_unauthenticated += 1;
  return false;
}

function receiveRtp(core: Core, transport: TransportEntry, packet: SourcePacket): void {
  const { ingress } = transport;
  if (dispatch(core, transport, packet)) return;
  if (ingress.learn(packet) && dispatch(core, transport, packet)) return;
  core.counters.dropped_unknown_ssrc += 1;
  if (packet.arrivedAtMicros < transport.unknownSsrcNextMicros) return;
  transport.unknownSsrcNextMicros = packet.arrivedAtMicros + UNKNOWN_SSRC_INTERVAL_MICROS;
  core.exceptions.push({
    kind: 'unknownSsrc',
    transportId: transport.id,
    generation: transport.generation,
    ssrc: packet.ssrc,
    payloadType: packet.payloadType,
    atMs: packet.arrivedAtMicros / 1000,
  });
}

/** False when no ingress has this SSRC. */
function dispatch(core: Core, transport: TransportEntry, packet: SourcePacket): boolean {
  const media = transport.ingress.media(packet.ssrc);
  if (media !== undefined) {
    receiveMedia(core, transport, media, packet);
    return true;
  }
  const rtx = transport.ingress.rtx(packet.ssrc);
  if (rtx === undefined) return false;
  receiveRtx(core, transport, rtx, packet);
  return true;
}

function receiveMedia(core: Core, transport: TransportEntry, ingress: Ingress, packet: SourcePacket): void {
  noteArrival(core, transport, ingress, packet);
  ingress.statistics.add(packet.index, packet.timestamp, packet.arrivedAtMicros, ingress.clockRate);
  feed(core, transport, ingress, packet);
}

/** A retransmission enters as if the original had arrived late (RFC 4588 8). */
function receiveRtx(core: Core, transport: TransportEntry, ingress: Ingress, packet: SourcePacket): void {
  noteArrival(core, transport, ingress, packet);
  const { bytes, headerLength } = packet;
  const sequence = readOriginalSequence(bytes, headerLength, packet.length);
  const payloadType = ingress.originalType(packet.payloadType);
  const highest = core.streams.getByText(ingress.streamText)?.window.highest ?? -1;
  if (sequence < 0 || payloadType < 0 || ingress.ssrc === null || highest < 0) {
    core.counters.dropped_rtx_probe += 1;
    return;
  }
  const index = extendSequence(highest, sequence);
  const length = unwrapRtx(bytes, headerLength, packet.length, { ssrc: ingress.ssrc, payloadType });
  if (index < 0 || length < 0) {
    core.counters.dropped_malformed += 1;
    return;
  }
  packet.set(bytes, headerLength, length, index, packet.arrivedAtMicros);
  core.counters.packets_recovered += 1;
  feed(core, transport, ingress, packet);
}

function feed(core: Core, transport: TransportEntry, ingress: Ingress, packet: SourcePacket): void {
  const stream = core.streams.getByText(ingress.streamText);
  if (stream === null) core.counters.dropped_unknown_stream += 1;
  else feedStream(core, stream, packet, transport.feedSource);
}

function noteArrival(core: Core, transport: TransportEntry, ingress: Ingress, packet: SourcePacket): void {
  if (ingress.transportCcId === 0) return;
  const element = findHeaderExtension(packet.bytes, packet.headerLength, ingress.transportCcId);
  if (element === -1) return;
  const sequence = packet.bytes.readUInt16BE(extensionOffset(element));
  if (!transport.arrivals.add(sequence, packet.arrivedAtMicros)) core.counters.arrivals_overflow += 1;
}
