import {
  extensionBlockOffset,
  readMarker,
  readPayloadType,
  readSequence,
  readSsrc,
  readTimestamp,
  RTP_FIXED_HEADER_BYTES,
  rtpHeaderLength,
  rtpPaddingLength,
  writeExtensionBit,
  writeMarker,
  writePaddingBit,
  writePayloadType,
  writeSequence,
  writeSsrc,
  writeTimestamp,
} from './header.js';
import {
  extensionLength,
  extensionOffset,
  firstHeaderExtension,
  HeaderExtensionBlock,
  headerExtensionId,
  nextHeaderExtension,
} from './header-extension.js';
import { HEADER_EXTENSIONS_MAX } from '../limits.js';

/** CSRCs that fit the header's 4-bit count. */
const CSRCS_MAX = 15;
/** Padding that fits its count byte. */
const PADDING_BYTES_MAX = 255;

/** One element of a header extension block. */
export interface RtpHeaderExtension {
  readonly id: number;
  readonly data: Buffer;
}

/** An RTP packet as a value: for slow paths and tests. Buffers are views into the parsed bytes. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly csrcs: readonly number[];
  readonly extensions: readonly RtpHeaderExtension[];
  /** Without padding. */
  readonly payload: Buffer;
  /** Bytes of padding, the count byte included; 0 for none. */
  readonly paddingLength: number;
}

/** What writeRtpPacket needs; the rest has defaults. */
export type RtpPacketInit = Pick<RtpPacket, 'payloadType' | 'sequence' | 'timestamp' | 'ssrc' | 'payload'> &
  Partial<RtpPacket>;

/** Null when the bytes are no RTP version 2 packet. */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket | null {
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = rtpHeaderLength(packet, packet.length);
  if (headerLength === -1) return null;
  const paddingLength = rtpPaddingLength(packet, headerLength, packet.length);
  if (paddingLength === -1) return null;
  return {
    payloadType: readPayloadType(packet),
    marker: readMarker(packet),
    sequence: readSequence(packet),
    timestamp: readTimestamp(packet),
    ssrc: readSsrc(packet),
    csrcs: readCsrcs(packet, headerLength),
    extensions: readExtensions(packet, headerLength),
    payload: packet.subarray(headerLength, packet.length - paddingLength),
    paddingLength,
  };
}

function readCsrcs(packet: Buffer, headerLength: number): number[] {
  const block = extensionBlockOffset(packet);
  const end = block === -1 ? headerLength : block;
  const csrcs: number[] = [];
  for (let at = RTP_FIXED_HEADER_BYTES; at < end; at += 4) csrcs.push(packet.readUInt32BE(at));
  return csrcs;
}

function readExtensions(packet: Buffer, headerLength: number): RtpHeaderExtension[] {
  const extensions: RtpHeaderExtension[] = [];
  let element = firstHeaderExtension(packet, headerLength);
  while (element !== -1 && extensions.length < HEADER_EXTENSIONS_MAX) {
    const offset = extensionOffset(element);
    extensions.push({
      id: headerExtensionId(packet, element),
      data: packet.subarray(offset, offset + extensionLength(element)),
    });
    element = nextHeaderExtension(packet, headerLength, element);
  }
  return extensions;
}

/** Throws RangeError on values that do not fit their fields: the caller's mistake. */
export function writeRtpPacket(init: RtpPacketInit): Buffer {
  const csrcs = init.csrcs ?? [];
  const paddingLength = init.paddingLength ?? 0;
  if (csrcs.length > CSRCS_MAX) throw new RangeError(`at most ${CSRCS_MAX} CSRCs fit an RTP header`);
  if (paddingLength > PADDING_BYTES_MAX)
    throw new RangeError(`at most ${PADDING_BYTES_MAX} bytes of padding`);
  const block = composeExtensions(init.extensions ?? []);
  const blockOffset = RTP_FIXED_HEADER_BYTES + csrcs.length * 4;
  const headerLength = blockOffset + block.byteLength;
  const packet = Buffer.alloc(headerLength + init.payload.length + paddingLength);
  packet.writeUInt8(0x80 | csrcs.length, 0);
  writeMarker(packet, init.marker ?? false);
  writePayloadType(packet, init.payloadType);
  writeSequence(packet, init.sequence);
  writeTimestamp(packet, init.timestamp);
  writeSsrc(packet, init.ssrc);
  csrcs.forEach((csrc, index) => packet.writeUInt32BE(csrc, RTP_FIXED_HEADER_BYTES + index * 4));
  writeExtensionBit(packet, block.writeTo(packet, blockOffset) > 0);
  init.payload.copy(packet, headerLength);
  if (paddingLength > 0) {
    writePaddingBit(packet, true);
    packet.writeUInt8(paddingLength, packet.length - 1);
  }
  return packet;
}

function composeExtensions(extensions: readonly RtpHeaderExtension[]): HeaderExtensionBlock {
  const block = new HeaderExtensionBlock();
  for (const { id, data } of extensions) {
    if (!block.append(id, data, 0, data.length)) throw new RangeError(`header extension ${id} does not fit`);
  }
  return block;
}
