import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  ATTRIBUTE_HEADER_BYTES,
  FINGERPRINT_BYTES,
  FINGERPRINT_XOR,
  MESSAGE_INTEGRITY_BYTES,
  STUN_HEADER_BYTES,
} from './attributes.js';
import { crc32 } from './crc32.js';
import type { StunMessage } from './message.js';

/**
 * HMAC-SHA1 over the message up to `end`, with the header's length as if the message ended with MESSAGE-INTEGRITY
 * there (RFC 8489 14.5). ICE passwords are ASCII, so the short-term key is the password as it is.
 */
export function messageIntegrity(bytes: Buffer, end: number, password: string): Buffer {
  const attributeEnd = end + ATTRIBUTE_HEADER_BYTES + MESSAGE_INTEGRITY_BYTES;
  return createHmac('sha1', password)
    .update(headerWithLength(bytes, attributeEnd))
    .update(bytes.subarray(4, end))
    .digest();
}

/** CRC-32 over the message up to `end`, where FINGERPRINT begins (RFC 8489 14.7). */
export function messageFingerprint(bytes: Buffer, end: number): number {
  const attributeEnd = end + ATTRIBUTE_HEADER_BYTES + FINGERPRINT_BYTES;
  const covered = Buffer.concat([headerWithLength(bytes, attributeEnd), bytes.subarray(4, end)]);
  return (crc32(covered) ^ FINGERPRINT_XOR) >>> 0;
}

function headerWithLength(bytes: Buffer, messageEnd: number): Buffer {
  const head = Buffer.from(bytes.subarray(0, 4));
  head.writeUInt16BE(messageEnd - STUN_HEADER_BYTES, 2);
  return head;
}

/** True when the message carries a MESSAGE-INTEGRITY made with this password. Constant time in the digest. */
export function verifyIntegrity(message: StunMessage, password: string): boolean {
  if (message.integrityOffset === -1) return false;
  const start = message.integrityOffset + ATTRIBUTE_HEADER_BYTES;
  const received = message.bytes.subarray(start, start + MESSAGE_INTEGRITY_BYTES);
  return timingSafeEqual(received, messageIntegrity(message.bytes, message.integrityOffset, password));
}

/** True when the message ends with the right FINGERPRINT. */
export function verifyFingerprint(message: StunMessage): boolean {
  if (message.fingerprintOffset === -1) return false;
  const received = message.bytes.readUInt32BE(message.fingerprintOffset + ATTRIBUTE_HEADER_BYTES);
  return received === messageFingerprint(message.bytes, message.fingerprintOffset);
}
