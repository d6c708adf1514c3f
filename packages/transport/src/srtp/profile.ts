import type { SrtpKeys, SrtpProfile } from '@godwit/datapath';

/** Sizes of one protection profile, bytes. */
export interface ProfileSizes {
  readonly key: number;
  readonly salt: number;
  readonly tag: number;
}

/** RFC 5764 4.1.2 and RFC 7714 12. */
export const PROFILE_SIZES: Readonly<Record<SrtpProfile, ProfileSizes>> = {
  AEAD_AES_128_GCM: { key: 16, salt: 12, tag: 16 },
  AEAD_AES_256_GCM: { key: 32, salt: 12, tag: 16 },
  AES_CM_128_HMAC_SHA1_80: { key: 16, salt: 14, tag: 10 },
};

/** Throws RangeError when a key or salt has not the length that the profile needs. */
export function assertKeySizes(keys: SrtpKeys): void {
  const sizes = PROFILE_SIZES[keys.profile];
  if (keys.localKey.length !== sizes.key || keys.remoteKey.length !== sizes.key) {
    throw new RangeError(`${keys.profile} needs keys of ${sizes.key} bytes`);
  }
  if (keys.localSalt.length !== sizes.salt || keys.remoteSalt.length !== sizes.salt) {
    throw new RangeError(`${keys.profile} needs salts of ${sizes.salt} bytes`);
  }
}
