import { RTCP_PACKETS_MAX } from '../limits.js';
import { PAYLOAD_FEEDBACK_FORMAT, TRANSPORT_FEEDBACK_FORMAT } from './feedback.js';
import { parseFullIntraRequest, writeFullIntraRequest } from './full-intra-request.js';
import type { FullIntraRequest } from './full-intra-request.js';
import { parseGoodbye, writeGoodbye } from './goodbye.js';
import type { Goodbye } from './goodbye.js';
import { readRtcpFrame, RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';
import { parseNack, writeNack } from './nack.js';
import type { Nack } from './nack.js';
import { parsePictureLossIndication, writePictureLossIndication } from './picture-loss.js';
import type { PictureLossIndication } from './picture-loss.js';
import { parseReceiverReport, writeReceiverReport } from './receiver-report.js';
import type { ReceiverReport } from './receiver-report.js';
import { parseRemb, writeRemb } from './remb.js';
import type { ReceiverEstimatedMaxBitrate } from './remb.js';
import { parseSenderReport, writeSenderReport } from './sender-report.js';
import type { SenderReport } from './sender-report.js';
import { parseSourceDescription, writeSourceDescription } from './source-description.js';
import type { SourceDescription } from './source-description.js';
import { parseTransportFeedback, writeTransportFeedback } from './transport-feedback.js';
import type { TransportFeedback } from './transport-feedback.js';

/** Every RTCP packet that the platform understands. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | Nack
  | PictureLossIndication
  | FullIntraRequest
  | ReceiverEstimatedMaxBitrate
  | TransportFeedback;

/**
 * Parses a compound, or a reduced-size packet (RFC 5506). Packets of unknown types and packets whose body is
 * malformed are skipped; behind a malformed header the rest is ignored. At most RTCP_PACKETS_MAX packets are read.
 */
export function parseRtcpCompound(bytes: Uint8Array): RtcpPacket[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packets: RtcpPacket[] = [];
  let offset = 0;
  for (let read = 0; read < RTCP_PACKETS_MAX; read += 1) {
    const frame = readRtcpFrame(buffer, offset);
    if (frame === null) break;
    const packet = parseFrame(frame);
    if (packet !== null) packets.push(packet);
    offset = frame.end;
  }
  return packets;
}

/** Writes the packets one after the other. RFC 3550 6.1 wants a report first unless reduced size was negotiated. */
export function writeRtcpCompound(packets: readonly RtcpPacket[]): Buffer {
  return Buffer.concat(packets.map(writeRtcpPacket));
}

function parseFrame(frame: RtcpFrame): RtcpPacket | null {
  switch (frame.packetType) {
    case RTCP_TYPE.senderReport:
      return parseSenderReport(frame);
    case RTCP_TYPE.receiverReport:
      return parseReceiverReport(frame);
    case RTCP_TYPE.sourceDescription:
      return parseSourceDescription(frame);
    case RTCP_TYPE.goodbye:
      return parseGoodbye(frame);
    case RTCP_TYPE.transportFeedback:
      return parseTransportLayerFeedback(frame);
    case RTCP_TYPE.payloadFeedback:
      return parsePayloadSpecificFeedback(frame);
    default:
      return null;
  }
}

function parseTransportLayerFeedback(frame: RtcpFrame): RtcpPacket | null {
  if (frame.count === TRANSPORT_FEEDBACK_FORMAT.nack) return parseNack(frame);
  if (frame.count === TRANSPORT_FEEDBACK_FORMAT.transportCc) return parseTransportFeedback(frame);
  return null;
}

function parsePayloadSpecificFeedback(frame: RtcpFrame): RtcpPacket | null {
  if (frame.count === PAYLOAD_FEEDBACK_FORMAT.pictureLoss) return parsePictureLossIndication(frame);
  if (frame.count === PAYLOAD_FEEDBACK_FORMAT.fullIntraRequest) return parseFullIntraRequest(frame);
  if (frame.count === PAYLOAD_FEEDBACK_FORMAT.applicationLayer) return parseRemb(frame);
  return null;
}

function writeRtcpPacket(packet: RtcpPacket): Buffer {
  switch (packet.type) {
    case 'senderReport':
      return writeSenderReport(packet);
    case 'receiverReport':
      return writeReceiverReport(packet);
    case 'sourceDescription':
      return writeSourceDescription(packet);
    case 'goodbye':
      return writeGoodbye(packet);
    case 'nack':
      return writeNack(packet);
    case 'pictureLossIndication':
      return writePictureLossIndication(packet);
    case 'fullIntraRequest':
      return writeFullIntraRequest(packet);
    case 'receiverEstimatedMaxBitrate':
      return writeRemb(packet);
    case 'transportFeedback':
      return writeTransportFeedback(packet);
  }
}
