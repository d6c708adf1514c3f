import type { IceCredentials } from '@godwit/protocol';
import type { SrtpKeys } from '@godwit/datapath';
import type { Random } from './random.js';

/** Bytes of a run's own chance. */
export function randomBytesOf(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = random.uint32() >>> 24;
  return bytes;
}

export function iceCredentialsOf(random: Random): IceCredentials {
  return {
    ufrag: randomBytesOf(random, 6).toString('hex'),
    pwd: randomBytesOf(random, 16).toString('hex'),
  };
}

export function srtpKeysOf(random: Random): SrtpKeys {
  return {
    profile: 'AEAD_AES_128_GCM',
    localKey: randomBytesOf(random, 16),
    localSalt: randomBytesOf(random, 12),
    remoteKey: randomBytesOf(random, 16),
    remoteSalt: randomBytesOf(random, 12),
  };
}

/** The same keys, as the other end has them. */
export function mirrored(keys: SrtpKeys): SrtpKeys {
  const { profile, localKey, localSalt, remoteKey, remoteSalt } = keys;
  return {
    profile,
    localKey: Buffer.from(remoteKey),
    localSalt: Buffer.from(remoteSalt),
    remoteKey: Buffer.from(localKey),
    remoteSalt: Buffer.from(localSalt),
  };
}
