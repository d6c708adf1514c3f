import { DATAGRAM_BYTES_MAX, REPAIR_INDICES_MAX } from '@godwit/datapath';
import { rtpHeaderLength } from '@godwit/rtp';
import type { Core } from './core.js';
import { feedStream } from './feed.js';
import { receiveMediaDatagram } from './inbound.js';
import { LINK_OVERHEAD_BYTES, RELAYED_AGE_MICROS_MAX, RELAYED_AHEAD_MICROS_MAX } from './limits.js';
import { SEALED_FRAME_TYPE, SEALED_HEADER_BYTES } from './link-cipher.js';
import {
  FRAME_FROM_CLIENT,
  FRAME_MEDIA,
  FRAME_MESSAGE,
  FRAME_REPAIR,
  FRAME_TO_CLIENT,
  FROM_CLIENT_HEADER_BYTES,
  MEDIA_HEADER_BYTES,
  MESSAGE_HEADER_BYTES,
  readFromClientHeader,
  readMediaHeader,
  readRepair,
  readToClientHeader,
  TO_CLIENT_HEADER_BYTES,
} from './link-frames.js';
import type { Link } from './links.js';
import type { Origin } from './origin.js';
import { sendFromOwner } from './paths.js';
import { SourcePacket } from './source-packet.js';

// Used by one frame at a time: everything here is synchronous.
const relayed = new SourcePacket();
const repaired = new SourcePacket();

/** A datagram on a socket of purpose `link`. */
export function receiveLinkDatagram(core: Core, bytes: Buffer): void {
  const link = openableLink(core, bytes);
  const frame = link?.cipher.open(bytes) ?? null;
  if (link === null || frame === null) {
    core.counters.dropped_link_frame += 1;
    return;
  }
  if (frame === 'replayed') {
    core.counters.dropped_link_replayed += 1;
    return;
  }
  if (!dispatchFrame(core, link, frame)) core.counters.dropped_link_frame += 1;
}

function openableLink(core: Core, bytes: Buffer): Link | null {
  if (bytes.length < SEALED_HEADER_BYTES || bytes.length > DATAGRAM_BYTES_MAX + LINK_OVERHEAD_BYTES)
    return null;
  return bytes[0] === SEALED_FRAME_TYPE ? core.links.findBySession(bytes) : null;
}

/** False when the frame is malformed: the peer is authentic, but may be of another version. */
function dispatchFrame(core: Core, link: Link, frame: Buffer): boolean {
  switch (frame[0]) {
    case FRAME_MEDIA:
      return receiveRelayed(core, link, frame);
    case FRAME_FROM_CLIENT:
      return receiveFromClient(core, link, frame);
    case FRAME_TO_CLIENT:
      return receiveToClient(core, link, frame);
    case FRAME_REPAIR:
      return receiveRepairRequest(core, link, frame);
    case FRAME_MESSAGE:
      core.exceptions.push({
        kind: 'linkMessage',
        linkId: link.linkId,
        bytes: frame.subarray(MESSAGE_HEADER_BYTES),
        atMs: core.clockMicros() / 1000,
      });
      return true;
    default:
      return false;
  }
}

function receiveRelayed(core: Core, link: Link, frame: Buffer): boolean {
  const header = readMediaHeader(frame);
  if (header === null) return false;
  const packet = frame.subarray(MEDIA_HEADER_BYTES);
  const headerLength = rtpHeaderLength(packet, packet.length);
  if (headerLength < 0) return false;
  const stream = core.streams.get(header);
  if (stream === null) {
    core.counters.dropped_unknown_stream += 1;
    return true;
  }
  if (!stream.accepts(link.linkId, header.ingressEpoch)) {
    core.counters.dropped_ingress_epoch += 1;
    return true;
  }
  const nowMicros = core.clockMicros();
  if (!stream.isPlausible(header.index, nowMicros)) {
    core.counters.dropped_jump += 1;
    return true;
  }
  core.counters.relay_received += 1;
  relayed.set(packet, headerLength, packet.length, header.index, nowMicros);
  feedStream(core, stream, relayed, link.feedSource);
  return true;
}

function receiveFromClient(core: Core, link: Link, frame: Buffer): boolean {
  const header = readFromClientHeader(frame);
  const packet = frame.subarray(FROM_CLIENT_HEADER_BYTES);
  if (header === null || packet.length < 2) return false;
  const transport = core.transports.find(header.transportId);
  if (transport === null) {
    core.counters.dropped_unknown_transport += 1;
    return true;
  }
  if (!transport.movePeers.includes(link.linkId)) {
    core.counters.dropped_foreign_frame += 1;
    return true;
  }
  core.counters.from_client_received += 1;
  const arrivedAtMicros = arrivalOf(core, link, header.arrivedAtMicros);
  const { isBounced, pathId } = header;
  const { linkId } = link;
  const origin: Origin = isBounced ? { kind: 'bounced', linkId } : { kind: 'link', linkId, pathId };
  receiveMediaDatagram(core, transport, packet, arrivedAtMicros, origin);
  return true;
}

/** Without a plausible clock of the peer the stamp means nothing here; the time of the frame is late by one hop. */
function arrivalOf(core: Core, { clockOffsetMicros }: Link, stampMicros: number): number {
  const nowMicros = core.clockMicros();
  if (clockOffsetMicros === null) return nowMicros;
  const ageMicros = nowMicros - (stampMicros - clockOffsetMicros);
  // Slightly ahead of us is a measuring error, and telling: all packets of the link have it.
  const isPlausible = ageMicros <= RELAYED_AGE_MICROS_MAX && ageMicros >= -RELAYED_AHEAD_MICROS_MAX;
  return isPlausible ? nowMicros - ageMicros : nowMicros;
}

function receiveToClient(core: Core, link: Link, frame: Buffer): boolean {
  const header = readToClientHeader(frame);
  if (header === null) return false;
  const transport = core.transports.find(header.transportId);
  if (transport === null) {
    core.counters.dropped_unknown_transport += 1;
    return true;
  }
  if (!transport.movePeers.includes(link.linkId)) {
    core.counters.dropped_foreign_frame += 1;
    return true;
  }
  core.counters.to_client_received += 1;
  sendFromOwner(core, transport, frame.subarray(TO_CLIENT_HEADER_BYTES), header.provenPathId);
  return true;
}

function receiveRepairRequest(core: Core, link: Link, frame: Buffer): boolean {
  const request = readRepair(frame, REPAIR_INDICES_MAX);
  if (request === null) return false;
  const stream = core.streams.get(request);
  const nowMicros = core.clockMicros();
  if (stream?.isRelayedTo(link.linkId, nowMicros) !== true) return true;
  for (const index of request.indices) {
    if (!stream.cache.read(index, repaired)) continue;
    if (!link.takeRepair(nowMicros)) {
      core.counters.dropped_repair += 1;
      continue;
    }
    core.links.sendMedia(link.linkId, stream, repaired);
    core.counters.repairs_answered += 1;
  }
  return true;
}
