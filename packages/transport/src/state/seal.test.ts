import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealKeyPair, openState, sealState } from './seal.js';

const context = { moveId: 'm1', transportId: '00112233aabbccdd', epoch: 3 };
const plaintext = Buffer.from('state of a transport');

describe('a sealed state', () => {
  it('opens with the key of its move, and hides the plaintext', () => {
    const keys = createSealKeyPair();
    const sealed = sealState(plaintext, keys.publicKey, context);
    expect(sealed.includes(plaintext)).toBe(false);
    expect(openState(sealed, keys, context)).toEqual(plaintext);
  });

  it('opens for nobody else and for no other move, transport or epoch', () => {
    const keys = createSealKeyPair();
    const sealed = sealState(plaintext, keys.publicKey, context);
    expect(openState(sealed, createSealKeyPair(), context)).toBeNull();
    expect(openState(sealed, keys, { ...context, moveId: 'm2' })).toBeNull();
    expect(openState(sealed, keys, { ...context, transportId: 'ffffffffffffffff' })).toBeNull();
    expect(openState(sealed, keys, { ...context, epoch: 4 })).toBeNull();
  });

  it('differs each time', () => {
    const { publicKey } = createSealKeyPair();
    expect(sealState(plaintext, publicKey, context)).not.toEqual(sealState(plaintext, publicKey, context));
  });

  it('does not open once the key is destroyed', () => {
    const keys = createSealKeyPair();
    const sealed = sealState(plaintext, keys.publicKey, context);
    keys.destroy();
    expect(openState(sealed, keys, context)).toBeNull();
  });

  it('is refused for a recipient key of no use', () => {
    expect(() => sealState(plaintext, Buffer.alloc(31), context)).toThrow(RangeError);
    expect(() => sealState(plaintext, Buffer.alloc(32), context)).toThrow(RangeError);
  });

  it('never opens and never throws when its bytes are changed or arbitrary', () => {
    const keys = createSealKeyPair();
    const sealed = sealState(plaintext, keys.publicKey, context);
    // The top bit of an X25519 public key is ignored by the curve, but bound by the key derivation.
    const changed = fc.nat({ max: sealed.length * 8 - 1 }).map((bit) => {
      const bytes = Buffer.from(sealed);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes;
    });
    const arbitrary = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(changed, arbitrary), (bytes) => {
        expect(openState(bytes, keys, context)).toBeNull();
      }),
    );
  });
});
