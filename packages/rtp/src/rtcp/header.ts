import { RTCP_COUNT_MAX } from '../limits.js';

/** RTCP packet types (RFC 3550 12.1, RFC 4585 6.1). */
export const RTCP_TYPE = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  transportFeedback: 205,
  payloadFeedback: 206,
} as const;

export const RTCP_HEADER_BYTES = 4;

/** One packet of a compound, not yet understood. */
export interface RtcpFrame {
  readonly packetType: number;
  /** Count of items, or the feedback message type. */
  readonly count: number;
  /** Behind the 4-byte header, without padding; a multiple of 4 bytes unless padding is odd. */
  readonly body: Buffer;
  /** Offset of the next packet. */
  readonly end: number;
}

/** Reads the packet at `offset`; null when the rest is malformed. */
export function readRtcpFrame(bytes: Buffer, offset: number): RtcpFrame | null {
  if (offset + RTCP_HEADER_BYTES > bytes.length) return null;
  const first = bytes.readUInt8(offset);
  if (first >>> 6 !== 2) return null;
  const end = offset + RTCP_HEADER_BYTES + bytes.readUInt16BE(offset + 2) * 4;
  if (end > bytes.length) return null;
  const padding = (first & 0x20) === 0 ? 0 : bytes.readUInt8(end - 1);
  const bodyEnd = end - padding;
  if (bodyEnd < offset + RTCP_HEADER_BYTES) return null;
  return {
    packetType: bytes.readUInt8(offset + 1),
    count: first & 0x1f,
    body: bytes.subarray(offset + RTCP_HEADER_BYTES, bodyEnd),
    end,
  };
}

/** A zeroed packet with its header; `bodyBytes` is a multiple of 4. */
export function allocateRtcp(packetType: number, count: number, bodyBytes: number): Buffer {
  if (count > RTCP_COUNT_MAX) throw new RangeError(`at most ${RTCP_COUNT_MAX} items fit one RTCP packet`);
  if (bodyBytes % 4 !== 0) throw new RangeError('RTCP packets are made of 32-bit words');
  const packet = Buffer.alloc(RTCP_HEADER_BYTES + bodyBytes);
  packet.writeUInt8(0x80 | count, 0);
  packet.writeUInt8(packetType, 1);
  packet.writeUInt16BE(bodyBytes / 4, 2);
  return packet;
}
