/** Fixed part of an RTP header (RFC 3550 5.1), bytes. */
export const RTP_FIXED_HEADER_BYTES = 12;

const VERSION_MASK = 0xc0;
const VERSION_2 = 0x80;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const CSRC_COUNT_MASK = 0x0f;
const MARKER_BIT = 0x80;
const PAYLOAD_TYPE_MASK = 0x7f;

/**
 * Length in bytes of the whole header: fixed part, CSRCs and extension block. -1 when the first `length` bytes of
 * `packet` do not hold a version 2 header. The read and write functions below rely on a header that passed here.
 */
export function rtpHeaderLength(packet: Buffer, length: number): number {
  if (length < RTP_FIXED_HEADER_BYTES || length > packet.length) return -1;
  const first = packet.readUInt8(0);
  if ((first & VERSION_MASK) !== VERSION_2) return -1;
  const withCsrcs = RTP_FIXED_HEADER_BYTES + (first & CSRC_COUNT_MASK) * 4;
  if ((first & EXTENSION_BIT) === 0) return withCsrcs <= length ? withCsrcs : -1;
  if (withCsrcs + 4 > length) return -1;
  const total = withCsrcs + 4 + packet.readUInt16BE(withCsrcs + 2) * 4;
  return total <= length ? total : -1;
}

/** Offset of the extension block (its profile field), or -1 when the packet has none. */
export function extensionBlockOffset(packet: Buffer): number {
  const first = packet.readUInt8(0);
  return (first & EXTENSION_BIT) === 0 ? -1 : RTP_FIXED_HEADER_BYTES + (first & CSRC_COUNT_MASK) * 4;
}

/**
 * Bytes of padding at the end of a decrypted packet, its count byte included (RFC 3550 5.1). 0 without padding, -1
 * when the count byte is impossible.
 */
export function rtpPaddingLength(packet: Buffer, headerLength: number, length: number): number {
  if ((packet.readUInt8(0) & PADDING_BIT) === 0) return 0;
  if (length <= headerLength) return -1;
  const count = packet.readUInt8(length - 1);
  return count > 0 && count <= length - headerLength ? count : -1;
}

export function readMarker(packet: Buffer): boolean {
  return (packet.readUInt8(1) & MARKER_BIT) !== 0;
}
export function readPayloadType(packet: Buffer): number {
  return packet.readUInt8(1) & PAYLOAD_TYPE_MASK;
}
export function readSequence(packet: Buffer): number {
  return packet.readUInt16BE(2);
}
export function readTimestamp(packet: Buffer): number {
  return packet.readUInt32BE(4);
}
export function readSsrc(packet: Buffer): number {
  return packet.readUInt32BE(8);
}

export function writeMarker(packet: Buffer, marker: boolean): void {
  packet.writeUInt8((packet.readUInt8(1) & PAYLOAD_TYPE_MASK) | (marker ? MARKER_BIT : 0), 1);
}
/** Leaves the marker bit as it is. */
export function writePayloadType(packet: Buffer, payloadType: number): void {
  packet.writeUInt8((packet.readUInt8(1) & MARKER_BIT) | (payloadType & PAYLOAD_TYPE_MASK), 1);
}
/** Takes the low 16 bits, so an extended index may be given (up to 2^48). */
export function writeSequence(packet: Buffer, sequence: number): void {
  packet.writeUInt16BE(sequence % 0x10000, 2);
}
/** Takes the value modulo 2^32; negative values wrap. */
export function writeTimestamp(packet: Buffer, timestamp: number): void {
  packet.writeUInt32BE(timestamp >>> 0, 4);
}
export function writeSsrc(packet: Buffer, ssrc: number): void {
  packet.writeUInt32BE(ssrc, 8);
}
/** Says whether an extension block follows the CSRCs. */
export function writeExtensionBit(packet: Buffer, present: boolean): void {
  const first = packet.readUInt8(0);
  packet.writeUInt8(present ? first | EXTENSION_BIT : first & ~EXTENSION_BIT, 0);
}
/** Says whether the packet ends with padding. */
export function writePaddingBit(packet: Buffer, present: boolean): void {
  const first = packet.readUInt8(0);
  packet.writeUInt8(present ? first | PADDING_BIT : first & ~PADDING_BIT, 0);
}
