import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { forgetKeys, ownWithKeys } from './keys.js';
import { TransportEntry } from './transport-entry.js';

it('zeroes every key byte when it forgets them, and only its own copy', () => {
  const given = {
    profile: 'AEAD_AES_128_GCM',
    localKey: randomBytes(16),
    localSalt: randomBytes(12),
    remoteKey: randomBytes(16),
    remoteSalt: randomBytes(12),
  } as const;
  const transport = new TransportEntry('00000000000000aa');
  transport.ownership = ownWithKeys(given);
  const { ownership } = transport;
  if (ownership.kind !== 'owner') throw new Error('expected an owner');
  const { keys } = ownership;
  forgetKeys(transport);
  expect(transport.ownership.kind).toBe('keyless');
  for (const bytes of [keys.localKey, keys.localSalt, keys.remoteKey, keys.remoteSalt]) {
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  }
  expect(given.localKey.every((byte) => byte === 0)).toBe(false);
});
