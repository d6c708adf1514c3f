import { createCipheriv } from 'node:crypto';
import type { SrtpProfile } from '@godwit/datapath';
import { PROFILE_SIZES } from './profile.js';

/** RFC 3711 4.3.1 and 4.3.2. */
const LABEL = { rtpKey: 0, rtpAuth: 1, rtpSalt: 2, rtcpKey: 3, rtcpAuth: 4, rtcpSalt: 5 } as const;
const HMAC_SHA1_KEY_BYTES = 20;

/** Session keys of one direction. The owner zeroes them with {@link zeroSessionKeys}. */
export interface SessionKeys {
  readonly profile: SrtpProfile;
  readonly rtpKey: Buffer;
  readonly rtpSalt: Buffer;
  /** Empty for the AEAD profiles. */
  readonly rtpAuth: Buffer;
  readonly rtcpKey: Buffer;
  readonly rtcpSalt: Buffer;
  readonly rtcpAuth: Buffer;
}

/**
 * AES-CM key derivation (RFC 3711 4.3.3; RFC 6188 for 256-bit keys) at key derivation rate 0. A 96-bit salt of an
 * AEAD profile is padded on the right to 112 bits (RFC 7714 11).
 */
export function deriveKey(masterKey: Buffer, masterSalt: Buffer, label: number, bytes: number): Buffer {
  const counter = Buffer.alloc(16);
  masterSalt.copy(counter, 0);
  counter.writeUInt8(counter.readUInt8(7) ^ label, 7);
  const keystream = createCipheriv(
    masterKey.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr',
    masterKey,
    counter,
  );
  const derived = keystream.update(Buffer.alloc(bytes));
  counter.fill(0);
  return derived;
}

/** All session keys of one direction from its master key and salt. */
export function deriveSessionKeys(profile: SrtpProfile, masterKey: Buffer, masterSalt: Buffer): SessionKeys {
  const sizes = PROFILE_SIZES[profile];
  const authBytes = profile === 'AES_CM_128_HMAC_SHA1_80' ? HMAC_SHA1_KEY_BYTES : 0;
  const derive = (label: number, bytes: number) => deriveKey(masterKey, masterSalt, label, bytes);
  return {
    profile,
    rtpKey: derive(LABEL.rtpKey, sizes.key),
    rtpSalt: derive(LABEL.rtpSalt, sizes.salt),
    rtpAuth: derive(LABEL.rtpAuth, authBytes),
    rtcpKey: derive(LABEL.rtcpKey, sizes.key),
    rtcpSalt: derive(LABEL.rtcpSalt, sizes.salt),
    rtcpAuth: derive(LABEL.rtcpAuth, authBytes),
  };
}

export function zeroSessionKeys(keys: SessionKeys): void {
  for (const secret of [
    keys.rtpKey,
    keys.rtpSalt,
    keys.rtpAuth,
    keys.rtcpKey,
    keys.rtcpSalt,
    keys.rtcpAuth,
  ]) {
    secret.fill(0);
  }
}
