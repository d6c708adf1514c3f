import {
  readSequence,
  rtpPaddingLength,
  writePaddingBit,
  writePayloadType,
  writeSequence,
  writeSsrc,
} from './header.js';

/** Original sequence number (OSN) that leads a retransmission's payload (RFC 4588 4), bytes. */
export const RTX_OSN_BYTES = 2;

/** Where a retransmission's packet goes: numbers of the original or of the RTX stream. */
export interface RtxNumbers {
  readonly ssrc: number;
  readonly payloadType: number;
}

/** OSN of an RTX packet; -1 when it carries none, as padding sent on the RTX stream for probing does not. */
export function readOriginalSequence(packet: Buffer, headerLength: number, length: number): number {
  const padding = rtpPaddingLength(packet, headerLength, length);
  if (padding === -1 || length - padding - headerLength < RTX_OSN_BYTES) return -1;
  return packet.readUInt16BE(headerLength);
}

/**
 * Turns an RTX packet into the original, in place. Padding goes away, header extensions stay. Returns the new
 * length, or -1 (packet untouched) when it carries no original.
 */
export function unwrapRtx(
  packet: Buffer,
  headerLength: number,
  length: number,
  original: RtxNumbers,
): number {
  const sequence = readOriginalSequence(packet, headerLength, length);
  if (sequence === -1) return -1;
  const end = length - rtpPaddingLength(packet, headerLength, length);
  packet.copyWithin(headerLength, headerLength + RTX_OSN_BYTES, end);
  writePaddingBit(packet, false);
  writeSequence(packet, sequence);
  writeSsrc(packet, original.ssrc);
  writePayloadType(packet, original.payloadType);
  return end - RTX_OSN_BYTES;
}

/**
 * Turns a packet into its retransmission, in place: `packet` needs RTX_OSN_BYTES of room after `length`. Returns
 * the new length. `rtxSequence` is the next number of the RTX stream.
 */
export function wrapRtx(
  packet: Buffer,
  headerLength: number,
  length: number,
  rtx: RtxNumbers,
  rtxSequence: number,
): number {
  const original = readSequence(packet);
  packet.copyWithin(headerLength + RTX_OSN_BYTES, headerLength, length);
  packet.writeUInt16BE(original, headerLength);
  writeSequence(packet, rtxSequence);
  writeSsrc(packet, rtx.ssrc);
  writePayloadType(packet, rtx.payloadType);
  return length + RTX_OSN_BYTES;
}
