/** STUN attribute types (RFC 8489 18.3, RFC 8445 16.1). */
export const STUN_ATTRIBUTE = {
  mappedAddress: 0x0001,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  software: 0x8022,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** Types below this must be understood by whoever processes the message (RFC 8489 14). */
const COMPREHENSION_OPTIONAL_FROM = 0x8000;
const UNDERSTOOD: ReadonlySet<number> = new Set(Object.values(STUN_ATTRIBUTE));

export function mustBeUnderstood(type: number): boolean {
  return type < COMPREHENSION_OPTIONAL_FROM && !UNDERSTOOD.has(type);
}

export const STUN_HEADER_BYTES = 20;
export const STUN_MAGIC_COOKIE = 0x2112a442;
export const TRANSACTION_ID_BYTES = 12;
export const ATTRIBUTE_HEADER_BYTES = 4;
export const MESSAGE_INTEGRITY_BYTES = 20;
export const FINGERPRINT_BYTES = 4;
/** FINGERPRINT is the CRC-32 XORed with "STUN" (RFC 8489 14.7). */
export const FINGERPRINT_XOR = 0x5354554e;
