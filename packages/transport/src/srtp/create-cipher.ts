import { AesCmCipher } from './aes-cm-cipher.js';
import { AesGcmCipher } from './aes-gcm-cipher.js';
import type { SessionKeys } from './key-derivation.js';
import type { PacketCipher } from './packet-cipher.js';

/** The cipher uses the keys as they are and copies nothing: zeroing them ends it. */
export function createPacketCipher(keys: SessionKeys): PacketCipher {
  return keys.profile === 'AES_CM_128_HMAC_SHA1_80' ? new AesCmCipher(keys) : new AesGcmCipher(keys);
}
