import { UNPROVEN_HELD_BYTES_MAX, UNPROVEN_HELD_MS } from '@godwit/datapath';
import { describe, expect, it } from 'vitest';
import { HeldCiphertext } from './held-ciphertext.js';

const packet = (value: number, length = 100): Buffer => Buffer.alloc(length, value);

describe('ciphertext held for an unproven address', () => {
  it('comes out once, in order, as it was', () => {
    const held = new HeldCiphertext();
    const bytes = packet(1);
    held.add(bytes, 0);
    held.add(packet(2), 1);
    bytes.fill(9);
    expect(held.take(2)).toEqual([packet(1), packet(2)]);
    expect(held.take(3)).toEqual([]);
  });

  it('is bounded, and has room again for what follows when the oldest is of no use', () => {
    const held = new HeldCiphertext();
    const half = packet(1, UNPROVEN_HELD_BYTES_MAX / 2);
    const later = UNPROVEN_HELD_MS * 1_000;
    expect([held.add(half, 0), held.add(half, later), held.add(packet(2), later)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(held.add(packet(3), later + 1)).toBe(true);
    expect(held.take(later + 1)).toEqual([half, packet(3)]);
  });
});
