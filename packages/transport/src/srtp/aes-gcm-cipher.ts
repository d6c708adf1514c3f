import { createCipheriv, createDecipheriv, type CipherGCMTypes } from 'node:crypto';
import type { SessionKeys } from './key-derivation.js';
import { RTCP_CLEAR_BYTES, RTCP_ENCRYPTED, type PacketCipher } from './packet-cipher.js';

const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES } as const;

/** AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714). */
export class AesGcmCipher implements PacketCipher {
  readonly tagBytes = TAG_BYTES;
  readonly #keys: SessionKeys;
  readonly #algorithm: CipherGCMTypes;
  readonly #iv = Buffer.alloc(12);
  /** RTCP: the clear header and the index word (RFC 7714 9.2). */
  readonly #rtcpAad = Buffer.alloc(RTCP_CLEAR_BYTES + 4);

  constructor(keys: SessionKeys) {
    this.#keys = keys;
    this.#algorithm = keys.rtpKey.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
  }

  protectRtp(buffer: Buffer, headerLength: number, length: number, ssrc: number, index: number): number {
    this.#setIv(this.#keys.rtpSalt, ssrc, index);
    const cipher = createCipheriv(this.#algorithm, this.#keys.rtpKey, this.#iv, OPTIONS);
    cipher.setAAD(buffer.subarray(0, headerLength));
    cipher.update(buffer.subarray(headerLength, length)).copy(buffer, headerLength);
    cipher.final();
    cipher.getAuthTag().copy(buffer, length);
    return length + TAG_BYTES;
  }

  unprotectRtp(buffer: Buffer, headerLength: number, length: number, ssrc: number, index: number): number {
    this.#setIv(this.#keys.rtpSalt, ssrc, index);
    const end = length - TAG_BYTES;
    const decipher = createDecipheriv(this.#algorithm, this.#keys.rtpKey, this.#iv, OPTIONS);
    decipher.setAAD(buffer.subarray(0, headerLength));
    decipher.setAuthTag(buffer.subarray(end, length));
    const plaintext = decipher.update(buffer.subarray(headerLength, end));
    try {
      decipher.final();
    } catch {
      return -1;
    }
    plaintext.copy(buffer, headerLength);
    return end;
  }

  protectRtcp(buffer: Buffer, length: number, ssrc: number, index: number): number {
    const indexWord = RTCP_ENCRYPTED + index;
    this.#setIv(this.#keys.rtcpSalt, ssrc, index);
    this.#setRtcpAad(buffer, indexWord);
    const cipher = createCipheriv(this.#algorithm, this.#keys.rtcpKey, this.#iv, OPTIONS);
    cipher.setAAD(this.#rtcpAad);
    cipher.update(buffer.subarray(RTCP_CLEAR_BYTES, length)).copy(buffer, RTCP_CLEAR_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(buffer, length);
    return buffer.writeUInt32BE(indexWord, length + TAG_BYTES);
  }

  unprotectRtcp(buffer: Buffer, length: number, ssrc: number, index: number): number {
    const end = length - TAG_BYTES - 4;
    this.#setIv(this.#keys.rtcpSalt, ssrc, index);
    this.#setRtcpAad(buffer, RTCP_ENCRYPTED + index);
    const decipher = createDecipheriv(this.#algorithm, this.#keys.rtcpKey, this.#iv, OPTIONS);
    decipher.setAAD(this.#rtcpAad);
    decipher.setAuthTag(buffer.subarray(end, end + TAG_BYTES));
    const plaintext = decipher.update(buffer.subarray(RTCP_CLEAR_BYTES, end));
    try {
      decipher.final();
    } catch {
      return -1;
    }
    plaintext.copy(buffer, RTCP_CLEAR_BYTES);
    return end;
  }

  readRtcpIndexWord(buffer: Buffer, length: number): number {
    return buffer.readUInt32BE(length - 4);
  }

  /** RFC 7714 8.1 and 9.1: salt XOR (0 | SSRC | 48-bit index); the SRTCP index has leading zeros. */
  #setIv(salt: Buffer, ssrc: number, index: number): void {
    const iv = this.#iv;
    iv.writeUInt16BE(0, 0);
    iv.writeUInt32BE(ssrc, 2);
    iv.writeUIntBE(index, 6, 6);
    for (let at = 0; at < 12; at += 1) iv[at] = (iv[at] ?? 0) ^ (salt[at] ?? 0);
  }

  #setRtcpAad(buffer: Buffer, indexWord: number): void {
    buffer.copy(this.#rtcpAad, 0, 0, RTCP_CLEAR_BYTES);
    this.#rtcpAad.writeUInt32BE(indexWord, RTCP_CLEAR_BYTES);
  }
}
