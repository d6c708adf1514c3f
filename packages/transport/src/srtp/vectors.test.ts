import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPacketCipher } from './create-cipher.js';
import { deriveKey, type SessionKeys } from './key-derivation.js';
import type { PacketCipher } from './packet-cipher.js';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const none = Buffer.alloc(0);

function gcmKeys(profile: SessionKeys['profile'], key: Buffer, salt: Buffer): SessionKeys {
  return { profile, rtpKey: key, rtpSalt: salt, rtpAuth: none, rtcpKey: key, rtcpSalt: salt, rtcpAuth: none };
}

const key128 = hex('000102030405060708090a0b0c0d0e0f');
const key256 = hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const salt = hex('517569642070726f2071756f');

const rtpPlain = hex(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
  69736120 696e2070 61727465 73207472 6573`);
const rtcpPlain = hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
  deadbeef deadbeef deadbeef deadbeef deadbeef`);

function withRoom(plain: Buffer): Buffer {
  return Buffer.concat([plain, Buffer.alloc(20)]);
}

function protectRtp(cipher: PacketCipher, plain: Buffer, index: number): Buffer {
  const buffer = withRoom(plain);
  return buffer.subarray(0, cipher.protectRtp(buffer, 12, plain.length, plain.readUInt32BE(8), index));
}

describe('RFC 3711 appendix B', () => {
  it('derives the session keys of B.3', () => {
    const masterKey = hex('E1F97A0D3E018BE0D64FA32C06DE4139');
    const masterSalt = hex('0EC675AD498AFEEBB6960B3AABE6');
    expect(deriveKey(masterKey, masterSalt, 0, 16)).toEqual(hex('C61E7A93744F39EE10734AFE3FF7A087'));
    expect(deriveKey(masterKey, masterSalt, 2, 14)).toEqual(hex('30CBBC08863D8C85D49DB34A9AE1'));
    expect(deriveKey(masterKey, masterSalt, 1, 20)).toEqual(hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'));
  });

  it('produces the AES-CM keystream of B.2', () => {
    const sessionKeys: SessionKeys = {
      ...gcmKeys(
        'AES_CM_128_HMAC_SHA1_80',
        hex('2B7E151628AED2A6ABF7158809CF4F3C'),
        hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'),
      ),
      rtpAuth: Buffer.alloc(20),
    };
    const zeros = Buffer.alloc(12 + 48);
    const packet = protectRtp(createPacketCipher(sessionKeys), zeros, 0);
    expect(packet.subarray(12, 60)).toEqual(
      hex(`E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
        41E95B3BB0A2E8DD477901E4FCA894C0`),
    );
  });
});

describe('RFC 7714 section 16 (SRTP)', () => {
  it.each([
    {
      profile: 'AEAD_AES_128_GCM' as const,
      key: key128,
      expected: `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
        0d294e6f 42a5f47a 51c7d19b 36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce`,
    },
    {
      profile: 'AEAD_AES_256_GCM' as const,
      key: key256,
      expected: `8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238
        9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13`,
    },
  ])('$profile', ({ profile, key, expected }) => {
    const cipher = createPacketCipher(gcmKeys(profile, key, salt));
    const packet = protectRtp(cipher, rtpPlain, 0xf17b);
    expect(packet.toString('hex')).toBe(hex(expected).toString('hex'));
    expect(cipher.unprotectRtp(packet, 12, packet.length, 0x5501a0b2, 0xf17b)).toBe(rtpPlain.length);
    expect(packet.subarray(0, rtpPlain.length)).toEqual(rtpPlain);
  });
});

describe('RFC 7714 section 17 (SRTCP)', () => {
  it.each([
    {
      profile: 'AEAD_AES_128_GCM' as const,
      key: key128,
      expected: `81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
        c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`,
    },
    {
      profile: 'AEAD_AES_256_GCM' as const,
      key: key256,
      expected: `81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50
        a2eaa5c1 110555be 8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4`,
    },
  ])('$profile', ({ profile, key, expected }) => {
    const cipher = createPacketCipher(gcmKeys(profile, key, salt));
    const buffer = withRoom(rtcpPlain);
    const length = cipher.protectRtcp(buffer, rtcpPlain.length, 0x4d617273, 0x5d4);
    expect(buffer.subarray(0, length).toString('hex')).toBe(hex(expected).toString('hex'));
    expect(cipher.unprotectRtcp(buffer, length, 0x4d617273, 0x5d4)).toBe(rtcpPlain.length);
    expect(buffer.subarray(0, rtcpPlain.length)).toEqual(rtcpPlain);
  });
});

describe('RFC 6188 key derivation', () => {
  it('uses AES-256 counter mode for a 256-bit master key', () => {
    const counter = Buffer.alloc(16);
    salt.copy(counter);
    expect(deriveKey(key256, salt, 0, 32)).toEqual(
      createCipheriv('aes-256-ctr', key256, counter).update(Buffer.alloc(32)),
    );
  });
});
