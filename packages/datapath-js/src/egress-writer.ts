import { toAbsSendTime } from '@godwit/rtp';
import type { Egress } from './egress.js';
import type { SourcePacket } from './source-packet.js';

const FIXED_HEADER_BYTES = 12;
const BLOCK_HEADER_BYTES = 4;
const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x1000;
const ONE_BYTE_ID_MAX = 14;
const ONE_BYTE_LENGTH_MAX = 16;
const ABS_SEND_TIME_BYTES = 3;
const TRANSPORT_CC_BYTES = 2;
const VERSION_2 = 0x80;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const MARKER_BIT = 0x80;

/** What differs between a packet and its retransmission. */
export interface OutgoingNumbers {
  ssrc: number;
  payloadType: number;
  sequence: number;
}

/**
 * Writes a subscriber's RTP header (RFC 3550 5.1, RFC 8285): measure first, then write, so that the packet is cut to
 * size. CSRCs are left out: nothing here mixes, and browsers send none.
 */
export class EgressWriter {
  #isTwoByte = false;
  #dataBytes = 0;
  #elements = 0;

  /** Header length for this packet at this egress, bytes. Must come right before {@link write}. */
  measure(egress: Egress, packet: SourcePacket): number {
    this.#isTwoByte = egress.absSendTimeId > ONE_BYTE_ID_MAX || egress.transportCcId > ONE_BYTE_ID_MAX;
    this.#dataBytes = 0;
    this.#elements = 0;
    if (egress.absSendTimeId !== 0) this.#count(ABS_SEND_TIME_BYTES);
    if (egress.transportCcId !== 0) this.#count(TRANSPORT_CC_BYTES);
    for (let at = 0; at < packet.extensionCount; at += 1) {
      const to = egress.extensionIds[packet.extensionIds[at] ?? 0] ?? 0;
      if (to === 0) continue;
      const length = packet.extensionLengths[at] ?? 0;
      if (to > ONE_BYTE_ID_MAX || length === 0 || length > ONE_BYTE_LENGTH_MAX) this.#isTwoByte = true;
      this.#count(length);
    }
    return FIXED_HEADER_BYTES + this.#blockBytes();
  }

  /** Writes the header; the payload is the caller's. */
  write(
    target: Buffer,
    egress: Egress,
    packet: SourcePacket,
    numbers: OutgoingNumbers,
    nowMicros: number,
  ): void {
    const first = packet.bytes[0] ?? 0;
    const second = packet.bytes[1] ?? 0;
    const hasBlock = this.#elements > 0;
    target[0] = VERSION_2 | (first & PADDING_BIT) | (hasBlock ? EXTENSION_BIT : 0);
    target[1] = (second & MARKER_BIT) | numbers.payloadType;
    writeUInt16(target, 2, numbers.sequence);
    writeUInt32(target, 4, packet.timestamp + egress.timestampOffset);
    writeUInt32(target, 8, numbers.ssrc);
    if (hasBlock) this.#writeBlock(target, egress, packet, nowMicros);
  }

  #count(length: number): void {
    this.#dataBytes += length;
    this.#elements += 1;
  }

  #blockBytes(): number {
    if (this.#elements === 0) return 0;
    return BLOCK_HEADER_BYTES + ((this.#dataBytes + this.#elements * (this.#isTwoByte ? 2 : 1) + 3) & ~3);
  }

  #writeBlock(target: Buffer, egress: Egress, packet: SourcePacket, nowMicros: number): void {
    const end = FIXED_HEADER_BYTES + this.#blockBytes();
    writeUInt16(target, FIXED_HEADER_BYTES, this.#isTwoByte ? TWO_BYTE_PROFILE : ONE_BYTE_PROFILE);
    writeUInt16(target, FIXED_HEADER_BYTES + 2, (end - FIXED_HEADER_BYTES - BLOCK_HEADER_BYTES) / 4);
    let at = FIXED_HEADER_BYTES + BLOCK_HEADER_BYTES;
    if (egress.absSendTimeId !== 0) {
      at = this.#writeElementHead(target, at, egress.absSendTimeId, ABS_SEND_TIME_BYTES);
      const value = toAbsSendTime(nowMicros + egress.transport.absSendTimeOffsetMicros);
      target[at] = value >>> 16;
      writeUInt16(target, at + 1, value);
      at += ABS_SEND_TIME_BYTES;
    }
    if (egress.transportCcId !== 0) {
      at = this.#writeElementHead(target, at, egress.transportCcId, TRANSPORT_CC_BYTES);
      writeUInt16(target, at, egress.transport.transportCcNext);
      egress.transport.transportCcNext = (egress.transport.transportCcNext + 1) & 0xffff;
      at += TRANSPORT_CC_BYTES;
    }
    at = this.#passElements(target, at, egress, packet);
    while (at < end) target[at++] = 0;
  }

  #passElements(target: Buffer, from: number, egress: Egress, packet: SourcePacket): number {
    let at = from;
    for (let element = 0; element < packet.extensionCount; element += 1) {
      const to = egress.extensionIds[packet.extensionIds[element] ?? 0] ?? 0;
      if (to === 0) continue;
      const length = packet.extensionLengths[element] ?? 0;
      const source = packet.extensionOffsets[element] ?? 0;
      at = this.#writeElementHead(target, at, to, length);
      for (let byte = 0; byte < length; byte += 1) target[at++] = packet.bytes[source + byte] ?? 0;
    }
    return at;
  }

  #writeElementHead(target: Buffer, at: number, id: number, length: number): number {
    if (!this.#isTwoByte) {
      target[at] = (id << 4) | (length - 1);
      return at + 1;
    }
    target[at] = id;
    target[at + 1] = length;
    return at + 2;
  }
}

function writeUInt16(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 8;
  target[at + 1] = value;
}

/** Modulo 2^32. */
function writeUInt32(target: Buffer, at: number, value: number): void {
  const low = value | 0;
  target[at] = low >>> 24;
  target[at + 1] = low >>> 16;
  target[at + 2] = low >>> 8;
  target[at + 3] = low;
}
