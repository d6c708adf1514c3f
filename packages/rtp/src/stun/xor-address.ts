import { STUN_MAGIC_COOKIE, TRANSACTION_ID_BYTES } from './attributes.js';
import { bytesToIpAddress, ipAddressToBytes } from './ip-address.js';
import type { AddressFamily } from './ip-address.js';

/** A transport address. */
export interface StunAddress {
  readonly address: string;
  readonly port: number;
  readonly family: AddressFamily;
}

const FAMILY_IPV4 = 0x01;
const FAMILY_IPV6 = 0x02;

/** Value of XOR-MAPPED-ADDRESS (RFC 8489 14.2); null when malformed. */
export function decodeXorAddress(value: Buffer, transactionId: Buffer): StunAddress | null {
  if (value.length < 8) return null;
  const family = value.readUInt8(1);
  const port = value.readUInt16BE(2) ^ (STUN_MAGIC_COOKIE >>> 16);
  if (family === FAMILY_IPV4 && value.length === 8) {
    return { address: bytesToIpAddress(xorBytes(value.subarray(4), transactionId)), port, family: 'IPv4' };
  }
  if (family === FAMILY_IPV6 && value.length === 20) {
    return { address: bytesToIpAddress(xorBytes(value.subarray(4), transactionId)), port, family: 'IPv6' };
  }
  return null;
}

/** Throws RangeError when the address is none of its family: the caller's mistake. */
export function encodeXorAddress(mapped: StunAddress, transactionId: Buffer): Buffer {
  const address = ipAddressToBytes(mapped.address, mapped.family);
  if (address === null) throw new RangeError(`not an ${mapped.family} address`);
  const head = Buffer.alloc(4);
  head.writeUInt8(mapped.family === 'IPv4' ? FAMILY_IPV4 : FAMILY_IPV6, 1);
  head.writeUInt16BE(mapped.port ^ (STUN_MAGIC_COOKIE >>> 16), 2);
  return Buffer.concat([head, xorBytes(address, transactionId)]);
}

/** An address is XORed with the cookie followed by the transaction id. */
function xorBytes(address: Buffer, transactionId: Buffer): Buffer {
  const mask = Buffer.alloc(4 + TRANSACTION_ID_BYTES);
  mask.writeUInt32BE(STUN_MAGIC_COOKIE, 0);
  transactionId.copy(mask, 4);
  return Buffer.from(address.map((byte, index) => byte ^ (mask[index] ?? 0)));
}
