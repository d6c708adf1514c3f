import {
  extensionLength,
  extensionOffset,
  firstHeaderExtension,
  headerExtensionId,
  nextHeaderExtension,
  readPayloadType,
  readSsrc,
  readTimestamp,
} from '@godwit/rtp';
import { EXTENSION_ELEMENTS_MAX } from './limits.js';

const EMPTY = Buffer.alloc(0);

/**
 * A packet in the publisher's numbering on its way to every egress. One object is used again for every packet, so
 * that the hot path allocates none; its extension block is read once, not once per egress.
 */
export class SourcePacket {
  bytes: Buffer = EMPTY;
  headerLength = 0;
  length = 0;
  /** 48-bit SRTP index of the publisher. */
  index = 0;
  payloadType = 0;
  timestamp = 0;
  ssrc = 0;
  /** When a socket of the platform received it, by this datapath's clock. */
  arrivedAtMicros = 0;
  extensionCount = 0;
  readonly extensionIds = new Uint8Array(EXTENSION_ELEMENTS_MAX);
  readonly extensionOffsets = new Uint16Array(EXTENSION_ELEMENTS_MAX);
  readonly extensionLengths = new Uint8Array(EXTENSION_ELEMENTS_MAX);

  /** Points at a plaintext RTP packet whose header has been checked. */
  set(bytes: Buffer, headerLength: number, length: number, index: number, arrivedAtMicros: number): void {
    this.bytes = bytes;
    this.headerLength = headerLength;
    this.length = length;
    this.index = index;
    this.payloadType = readPayloadType(bytes);
    this.timestamp = readTimestamp(bytes);
    this.ssrc = readSsrc(bytes);
    this.arrivedAtMicros = arrivedAtMicros;
    this.#readExtensions();
  }

  #readExtensions(): void {
    const { bytes, headerLength } = this;
    let count = 0;
    let element = firstHeaderExtension(bytes, headerLength);
    while (element !== -1 && count < EXTENSION_ELEMENTS_MAX) {
      this.extensionIds[count] = headerExtensionId(bytes, element);
      this.extensionOffsets[count] = extensionOffset(element);
      this.extensionLengths[count] = extensionLength(element);
      count += 1;
      element = nextHeaderExtension(bytes, headerLength, element);
    }
    this.extensionCount = count;
  }
}
