import type { SrtpKeys, SrtpProfile } from '@godwit/datapath';
import { PROFILE_SIZES } from '../srtp/profile.js';

/** Numbers in use_srtp, in our order of preference (RFC 5764 4.1.2, RFC 7714 14.2). */
export const SRTP_PROFILE_NUMBERS: ReadonlyMap<number, SrtpProfile> = new Map([
  [0x0007, 'AEAD_AES_128_GCM'],
  [0x0008, 'AEAD_AES_256_GCM'],
  [0x0001, 'AES_CM_128_HMAC_SHA1_80'],
]);

/** RFC 5764 4.2. */
export const SRTP_EXPORTER_LABEL = 'EXTRACTOR-dtls_srtp';

export function keyingMaterialBytes(profile: SrtpProfile): number {
  const { key, salt } = PROFILE_SIZES[profile];
  return 2 * (key + salt);
}

/** The DTLS server's keys: client key, server key, client salt, server salt (RFC 5764 4.2). Copies. */
export function splitKeyingMaterial(profile: SrtpProfile, material: Buffer): SrtpKeys {
  const { key, salt } = PROFILE_SIZES[profile];
  const part = (from: number, bytes: number) => Buffer.from(material.subarray(from, from + bytes));
  return {
    profile,
    remoteKey: part(0, key),
    localKey: part(key, key),
    remoteSalt: part(2 * key, salt),
    localSalt: part(2 * key + salt, salt),
  };
}
