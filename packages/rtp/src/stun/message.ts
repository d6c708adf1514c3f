import { STUN_ATTRIBUTES_MAX, STUN_MESSAGE_BYTES_MAX, STUN_USERNAME_BYTES_MAX } from '../limits.js';
import {
  ATTRIBUTE_HEADER_BYTES,
  FINGERPRINT_BYTES,
  MESSAGE_INTEGRITY_BYTES,
  mustBeUnderstood,
  STUN_ATTRIBUTE,
  STUN_HEADER_BYTES,
  STUN_MAGIC_COOKIE,
  TRANSACTION_ID_BYTES,
} from './attributes.js';
import { decodeXorAddress } from './xor-address.js';
import type { StunAddress } from './xor-address.js';

export type StunClass = 'request' | 'indication' | 'success' | 'error';
/** The only method of ICE (RFC 8489 18.2). */
export const STUN_METHOD_BINDING = 0x001;

/** Who nominates (RFC 8445 16.1). The tie-breaker is 64 bits. */
export interface IceRole {
  readonly role: 'controlling' | 'controlled';
  readonly tieBreaker: bigint;
}
export interface StunErrorCode {
  /** 300..699. */
  readonly code: number;
  readonly reason: string;
}

/** A parsed message. Buffers are views into the parsed bytes, which must not change while it is in use. */
export interface StunMessage {
  readonly class: StunClass;
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Buffer;
  readonly username?: string;
  readonly priority?: number;
  readonly useCandidate: boolean;
  readonly iceRole?: IceRole;
  readonly xorMappedAddress?: StunAddress;
  readonly errorCode?: StunErrorCode;
  /** What an error response 420 lists. */
  readonly unknownAttributes?: readonly number[];
  /** Comprehension-required types of this message that this package does not know: to be answered by 420. */
  readonly unknownRequired: readonly number[];
  /** The whole message. */
  readonly bytes: Buffer;
  /** Offset of MESSAGE-INTEGRITY and FINGERPRINT, or -1. */
  readonly integrityOffset: number;
  readonly fingerprintOffset: number;
}

/**
 * Parses one datagram (RFC 8489 5, 14). Null when it is no well-formed STUN message; nothing is authenticated here:
 * see verifyIntegrity. Of a repeated attribute the first counts; behind MESSAGE-INTEGRITY only FINGERPRINT counts.
 */
export function parseStunMessage(datagram: Uint8Array): StunMessage | null {
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  if (!hasStunHeader(bytes)) return null;
  const type = bytes.readUInt16BE(0);
  const draft: Draft = {
    class: CLASSES[((type & 0x0100) >> 7) | ((type & 0x0010) >> 4)] ?? 'request',
    method: (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2),
    transactionId: bytes.subarray(8, 8 + TRANSACTION_ID_BYTES),
    useCandidate: false,
    unknownRequired: [],
    bytes,
    integrityOffset: -1,
    fingerprintOffset: -1,
  };
  return readAttributes(draft) ? draft : null;
}

const CLASSES: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

type Draft = { -readonly [Key in keyof StunMessage]: StunMessage[Key] } & { unknownRequired: number[] };

function hasStunHeader(bytes: Buffer): boolean {
  if (bytes.length < STUN_HEADER_BYTES || bytes.length > STUN_MESSAGE_BYTES_MAX) return false;
  if (bytes.readUInt8(0) > 0x3f || bytes.readUInt32BE(4) !== STUN_MAGIC_COOKIE) return false;
  const length = bytes.readUInt16BE(2);
  return length % 4 === 0 && length === bytes.length - STUN_HEADER_BYTES;
}

function readAttributes(draft: Draft): boolean {
  const { bytes } = draft;
  const seen = new Set<number>();
  let at = STUN_HEADER_BYTES;
  for (let count = 0; at < bytes.length; count += 1) {
    if (count === STUN_ATTRIBUTES_MAX || draft.fingerprintOffset !== -1) return false;
    if (at + ATTRIBUTE_HEADER_BYTES > bytes.length) return false;
    const type = bytes.readUInt16BE(at);
    const start = at + ATTRIBUTE_HEADER_BYTES;
    const end = start + bytes.readUInt16BE(at + 2);
    if (end > bytes.length) return false;
    const ignored = draft.integrityOffset !== -1 && type !== STUN_ATTRIBUTE.fingerprint;
    if (!ignored && !seen.has(type)) {
      seen.add(type);
      if (!readAttribute(draft, type, bytes.subarray(start, end), at)) return false;
    }
    at = (end + 3) & ~3;
  }
  return true;
}

/** Takes one attribute into the draft. False when its value is malformed. */
function readAttribute(draft: Draft, type: number, value: Buffer, at: number): boolean {
  switch (type) {
    case STUN_ATTRIBUTE.username:
      draft.username = value.toString('utf8');
      return value.length <= STUN_USERNAME_BYTES_MAX;
    case STUN_ATTRIBUTE.priority:
      if (value.length !== 4) return false;
      draft.priority = value.readUInt32BE(0);
      return true;
    case STUN_ATTRIBUTE.useCandidate:
      draft.useCandidate = true;
      return true;
    case STUN_ATTRIBUTE.iceControlling:
      return readIceRole(draft, 'controlling', value);
    case STUN_ATTRIBUTE.iceControlled:
      return readIceRole(draft, 'controlled', value);
    case STUN_ATTRIBUTE.xorMappedAddress:
      draft.xorMappedAddress = decodeXorAddress(value, draft.transactionId) ?? undefined;
      return draft.xorMappedAddress !== undefined;
    case STUN_ATTRIBUTE.errorCode:
      return readErrorCode(draft, value);
    case STUN_ATTRIBUTE.unknownAttributes:
      return readUnknownAttributes(draft, value);
    case STUN_ATTRIBUTE.messageIntegrity:
      draft.integrityOffset = at;
      return value.length === MESSAGE_INTEGRITY_BYTES;
    case STUN_ATTRIBUTE.fingerprint:
      draft.fingerprintOffset = at;
      return value.length === FINGERPRINT_BYTES;
    default:
      if (mustBeUnderstood(type)) draft.unknownRequired.push(type);
      return true;
  }
}

function readIceRole(draft: Draft, role: IceRole['role'], value: Buffer): boolean {
  // A message that claims both roles contradicts itself.
  if (value.length !== 8 || draft.iceRole !== undefined) return false;
  draft.iceRole = { role, tieBreaker: value.readBigUInt64BE(0) };
  return true;
}

function readErrorCode(draft: Draft, value: Buffer): boolean {
  if (value.length < 4) return false;
  const hundreds = value.readUInt8(2) & 0x07;
  const rest = value.readUInt8(3);
  if (hundreds < 3 || hundreds > 6 || rest > 99) return false;
  draft.errorCode = { code: hundreds * 100 + rest, reason: value.toString('utf8', 4) };
  return true;
}

function readUnknownAttributes(draft: Draft, value: Buffer): boolean {
  if (value.length % 2 !== 0) return false;
  const types: number[] = [];
  for (let at = 0; at < value.length; at += 2) types.push(value.readUInt16BE(at));
  draft.unknownAttributes = types;
  return true;
}
