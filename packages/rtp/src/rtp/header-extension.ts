import { HEADER_EXTENSIONS_MAX, HEADER_EXTENSION_BYTES_MAX } from '../limits.js';
import { extensionBlockOffset } from './header.js';

const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x1000;
const TWO_BYTE_PROFILE_MASK = 0xfff0;
/** In the one-byte form this id ends the block (RFC 8285 4.2). */
const ONE_BYTE_STOP_ID = 15;
const ONE_BYTE_LENGTH_MAX = 16;
const BLOCK_HEADER_BYTES = 4;

/**
 * Finds the element with the given id (1..14 in the one-byte form, 1..255 in the two-byte form). Returns its place
 * as one number, so that the hot path allocates nothing: take it apart with extensionOffset and extensionLength.
 * -1 when there is none. `headerLength` is what rtpHeaderLength returned.
 */
export function findHeaderExtension(packet: Buffer, headerLength: number, id: number): number {
  let element = firstHeaderExtension(packet, headerLength);
  while (element !== -1 && headerExtensionId(packet, element) !== id) {
    element = nextHeaderExtension(packet, headerLength, element);
  }
  return element;
}

/** Offset of an element's data in the packet. */
export function extensionOffset(element: number): number {
  return element >>> 9;
}
/** Length of an element's data, bytes (0..255). */
export function extensionLength(element: number): number {
  return (element >>> 1) & 0xff;
}

/** First element of the block in the form that findHeaderExtension returns, or -1. */
export function firstHeaderExtension(packet: Buffer, headerLength: number): number {
  const block = extensionBlockOffset(packet);
  if (block === -1) return -1;
  const profile = packet.readUInt16BE(block);
  const start = block + BLOCK_HEADER_BYTES;
  if (profile === ONE_BYTE_PROFILE) return oneByteElement(packet, headerLength, start);
  if ((profile & TWO_BYTE_PROFILE_MASK) === TWO_BYTE_PROFILE)
    return twoByteElement(packet, headerLength, start);
  return -1;
}

/** The element after `element`, or -1. */
export function nextHeaderExtension(packet: Buffer, headerLength: number, element: number): number {
  const next = extensionOffset(element) + extensionLength(element);
  return isTwoByte(element)
    ? twoByteElement(packet, headerLength, next)
    : oneByteElement(packet, headerLength, next);
}

/** Id of an element. */
export function headerExtensionId(packet: Buffer, element: number): number {
  const offset = extensionOffset(element);
  return isTwoByte(element) ? packet.readUInt8(offset - 2) : packet.readUInt8(offset - 1) >>> 4;
}

// An element is packed as offset (22 bits), length (8 bits), form (1 bit): it stays a small integer.
function pack(offset: number, length: number, twoByte: boolean): number {
  return (offset << 9) | (length << 1) | (twoByte ? 1 : 0);
}
function isTwoByte(element: number): boolean {
  return (element & 1) === 1;
}

function oneByteElement(packet: Buffer, end: number, from: number): number {
  for (let at = from; at < end; at += 1) {
    const head = packet.readUInt8(at);
    if (head === 0) continue;
    const id = head >>> 4;
    // Id 0 with a length, like the stop id, ends the block (RFC 8285 4.2).
    if (id === 0 || id === ONE_BYTE_STOP_ID) return -1;
    const length = (head & 0x0f) + 1;
    return at + 1 + length <= end ? pack(at + 1, length, false) : -1;
  }
  return -1;
}

function twoByteElement(packet: Buffer, end: number, from: number): number {
  for (let at = from; at + 1 < end; at += 1) {
    if (packet.readUInt8(at) === 0) continue;
    const length = packet.readUInt8(at + 1);
    return at + 2 + length <= end ? pack(at + 2, length, true) : -1;
  }
  return -1;
}

/**
 * Composes an extension block, reusable without allocation: clear, append each element, writeTo. Elements are copied
 * when appended, so the target may be the packet that they came from. The one-byte form is taken when every id is
 * at most 14 and every length 1..16, otherwise the two-byte form (RFC 8285 4.1.2).
 */
export class HeaderExtensionBlock {
  readonly #ids = new Uint8Array(HEADER_EXTENSIONS_MAX);
  readonly #lengths = new Uint8Array(HEADER_EXTENSIONS_MAX);
  readonly #data = Buffer.alloc(HEADER_EXTENSION_BYTES_MAX);
  #count = 0;
  #dataBytes = 0;
  #twoByte = false;

  clear(): void {
    this.#count = 0;
    this.#dataBytes = 0;
    this.#twoByte = false;
  }

  /** Adds one element, id 1..255 and length 0..255. False, and nothing changes, when it does not fit. */
  append(id: number, source: Buffer, offset: number, length: number): boolean {
    if (!this.#reserve(id, length)) return false;
    source.copy(this.#data, this.#dataBytes, offset, offset + length);
    this.#commit(id, length);
    return true;
  }

  /** Adds an element whose data is an unsigned number of 1..4 bytes, big endian. */
  appendUInt(id: number, value: number, length: number): boolean {
    if (!this.#reserve(id, length)) return false;
    this.#data.writeUIntBE(value, this.#dataBytes, length);
    this.#commit(id, length);
    return true;
  }

  /** Bytes that writeTo will write: block header and padding included, 0 without elements. */
  get byteLength(): number {
    if (this.#count === 0) return 0;
    const elements = this.#dataBytes + this.#count * (this.#twoByte ? 2 : 1);
    return BLOCK_HEADER_BYTES + ((elements + 3) & ~3);
  }

  /** Writes the block and returns byteLength. The caller sets the X bit (writeExtensionBit). */
  writeTo(target: Buffer, offset: number): number {
    const total = this.byteLength;
    if (total === 0) return 0;
    target.writeUInt16BE(this.#twoByte ? TWO_BYTE_PROFILE : ONE_BYTE_PROFILE, offset);
    target.writeUInt16BE((total - BLOCK_HEADER_BYTES) / 4, offset + 2);
    let at = offset + BLOCK_HEADER_BYTES;
    let from = 0;
    for (let index = 0; index < this.#count; index += 1) {
      const id = this.#ids[index] ?? 0;
      const length = this.#lengths[index] ?? 0;
      at = this.#writeElementHead(target, at, id, length);
      this.#data.copy(target, at, from, from + length);
      at += length;
      from += length;
    }
    target.fill(0, at, offset + total);
    return total;
  }

  #reserve(id: number, length: number): boolean {
    if (id < 1 || id > 255 || length < 0 || length > 255) return false;
    return this.#count < HEADER_EXTENSIONS_MAX && this.#dataBytes + length <= HEADER_EXTENSION_BYTES_MAX;
  }

  #commit(id: number, length: number): void {
    this.#ids[this.#count] = id;
    this.#lengths[this.#count] = length;
    this.#count += 1;
    this.#dataBytes += length;
    if (id >= ONE_BYTE_STOP_ID || length === 0 || length > ONE_BYTE_LENGTH_MAX) this.#twoByte = true;
  }

  #writeElementHead(target: Buffer, at: number, id: number, length: number): number {
    if (!this.#twoByte) return target.writeUInt8((id << 4) | (length - 1), at);
    target.writeUInt8(id, at);
    return target.writeUInt8(length, at + 1);
  }
}
