import {
  HeaderExtensionBlock,
  RTP_FIXED_HEADER_BYTES,
  TRANSPORT_CC_BYTES,
  writeExtensionBit,
} from '@godwit/rtp';

/** Room for the authentication tag behind the packet. */
const TRAILER_BYTES = 20;
const NO_EXTENSION = -1;

export interface RtpSourceOptions {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly clockRate: number;
  /** Of the mid's extension, with the mid; absent where it was not negotiated. */
  readonly mid?: { readonly id: number; readonly value: string };
  readonly transportCcId?: number;
  /** 15 random bits, as browsers begin; 32 random bits. */
  readonly firstSequence: number;
  readonly firstTimestamp: number;
}

/** A plain RTP packet with room for its SRTP trailer. */
export interface PlainPacket {
  readonly buffer: Buffer;
  readonly headerLength: number;
  readonly length: number;
  /** 48-bit SRTP index. */
  readonly index: number;
}

/** Makes the packets of one sent stream. Timestamps follow the clock that is passed in. */
export class RtpSource {
  readonly ssrc: number;
  readonly clockRate: number;
  readonly #header: Buffer;
  readonly #transportCcOffset: number;
  #index: number;
  #timestamp: number;
  #startMs: number | null = null;
  #packets = 0;
  #bytes = 0;

  constructor(options: RtpSourceOptions) {
    this.ssrc = options.ssrc;
    this.clockRate = options.clockRate;
    this.#index = options.firstSequence;
    this.#timestamp = options.firstTimestamp;
    const { header, transportCcOffset } = composeHeader(options);
    this.#header = header;
    this.#transportCcOffset = transportCcOffset;
  }

  get packets(): number {
    return this.#packets;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** RTP time of a moment. */
  timestampAt(nowMs: number): number {
    this.#startMs ??= nowMs;
    return (this.#timestamp + Math.round(((nowMs - this.#startMs) * this.clockRate) / 1_000)) >>> 0;
  }

  /** `nextTransportSequence` is asked where transport-cc was negotiated. */
  next(nowMs: number, payload: Buffer, marker: boolean, nextTransportSequence: () => number): PlainPacket {
    const headerLength = this.#header.length;
    const length = headerLength + payload.length;
    const buffer = Buffer.allocUnsafe(length + TRAILER_BYTES);
    this.#header.copy(buffer);
    if (marker) buffer.writeUInt8(buffer.readUInt8(1) | 0x80, 1);
    buffer.writeUInt16BE(this.#index % 0x10000, 2);
    buffer.writeUInt32BE(this.timestampAt(nowMs), 4);
    if (this.#transportCcOffset !== NO_EXTENSION) {
      buffer.writeUInt16BE(nextTransportSequence(), this.#transportCcOffset);
    }
    payload.copy(buffer, headerLength);
    this.#packets += 1;
    this.#bytes += payload.length;
    return { buffer, headerLength, length, index: this.#index++ };
  }
}

/** The header that all packets share; sequence, timestamp and transport-wide number are filled in for each. */
function composeHeader({ ssrc, payloadType, mid, transportCcId }: RtpSourceOptions): {
  header: Buffer;
  transportCcOffset: number;
} {
  const block = new HeaderExtensionBlock();
  // First, so that its place is known: behind the block's header and its own.
  if (transportCcId !== undefined) block.appendUInt(transportCcId, 0, TRANSPORT_CC_BYTES);
  if (mid !== undefined) {
    const value = Buffer.from(mid.value);
    block.append(mid.id, value, 0, value.length);
  }
  const header = Buffer.alloc(RTP_FIXED_HEADER_BYTES + block.byteLength);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(payloadType, 1);
  header.writeUInt32BE(ssrc, 8);
  writeExtensionBit(header, block.writeTo(header, RTP_FIXED_HEADER_BYTES) > 0);
  const blockHeaderBytes = 4;
  const isOneByteForm =
    header.length > RTP_FIXED_HEADER_BYTES && header.readUInt16BE(RTP_FIXED_HEADER_BYTES) === 0xbede;
  const elementHeaderBytes = isOneByteForm ? 1 : 2;
  const transportCcOffset =
    transportCcId === undefined
      ? NO_EXTENSION
      : RTP_FIXED_HEADER_BYTES + blockHeaderBytes + elementHeaderBytes;
  return { header, transportCcOffset };
}
