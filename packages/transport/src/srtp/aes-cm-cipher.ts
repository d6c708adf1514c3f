import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import type { SessionKeys } from './key-derivation.js';
import { RTCP_CLEAR_BYTES, RTCP_ENCRYPTED, type PacketCipher } from './packet-cipher.js';

const TAG_BYTES = 10;

/** AES_CM_128_HMAC_SHA1_80 (RFC 3711 4.1.1 and 4.2.1). */
export class AesCmCipher implements PacketCipher {
  readonly tagBytes = TAG_BYTES;
  readonly #keys: SessionKeys;
  readonly #iv = Buffer.alloc(16);
  readonly #rolloverCounter = Buffer.alloc(4);

  constructor(keys: SessionKeys) {
    this.#keys = keys;
  }

  protectRtp(buffer: Buffer, headerLength: number, length: number, ssrc: number, index: number): number {
    this.#setIv(this.#keys.rtpSalt, ssrc, index);
    this.#crypt(this.#keys.rtpKey, buffer, headerLength, length);
    this.#rtpTag(buffer, length, index).copy(buffer, length, 0, TAG_BYTES);
    return length + TAG_BYTES;
  }

  unprotectRtp(buffer: Buffer, headerLength: number, length: number, ssrc: number, index: number): number {
    const end = length - TAG_BYTES;
    const tag = this.#rtpTag(buffer, end, index).subarray(0, TAG_BYTES);
    if (!timingSafeEqual(tag, buffer.subarray(end, length))) return -1;
    this.#setIv(this.#keys.rtpSalt, ssrc, index);
    this.#crypt(this.#keys.rtpKey, buffer, headerLength, end);
    return end;
  }

  protectRtcp(buffer: Buffer, length: number, ssrc: number, index: number): number {
    this.#setIv(this.#keys.rtcpSalt, ssrc, index);
    this.#crypt(this.#keys.rtcpKey, buffer, RTCP_CLEAR_BYTES, length);
    const authenticated = buffer.writeUInt32BE(RTCP_ENCRYPTED + index, length);
    this.#rtcpTag(buffer, authenticated).copy(buffer, authenticated, 0, TAG_BYTES);
    return authenticated + TAG_BYTES;
  }

  unprotectRtcp(buffer: Buffer, length: number, ssrc: number, index: number): number {
    const authenticated = length - TAG_BYTES;
    const tag = this.#rtcpTag(buffer, authenticated).subarray(0, TAG_BYTES);
    if (!timingSafeEqual(tag, buffer.subarray(authenticated, length))) return -1;
    const end = authenticated - 4;
    this.#setIv(this.#keys.rtcpSalt, ssrc, index);
    this.#crypt(this.#keys.rtcpKey, buffer, RTCP_CLEAR_BYTES, end);
    return end;
  }

  readRtcpIndexWord(buffer: Buffer, length: number): number {
    return buffer.readUInt32BE(length - TAG_BYTES - 4);
  }

  /** RFC 3711 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16. */
  #setIv(salt: Buffer, ssrc: number, index: number): void {
    const iv = this.#iv;
    iv.writeUInt32BE(0, 0);
    iv.writeUInt32BE(ssrc, 4);
    iv.writeUIntBE(index, 8, 6);
    iv.writeUInt16BE(0, 14);
    for (let at = 0; at < 14; at += 1) iv[at] = (iv[at] ?? 0) ^ (salt[at] ?? 0);
  }

  /** Counter mode is its own inverse. */
  #crypt(key: Buffer, buffer: Buffer, from: number, to: number): void {
    createCipheriv('aes-128-ctr', key, this.#iv).update(buffer.subarray(from, to)).copy(buffer, from);
  }

  /** RFC 3711 4.2: over the packet and its rollover counter. */
  #rtpTag(buffer: Buffer, length: number, index: number): Buffer {
    this.#rolloverCounter.writeUInt32BE(Math.floor(index / 65_536), 0);
    return createHmac('sha1', this.#keys.rtpAuth)
      .update(buffer.subarray(0, length))
      .update(this.#rolloverCounter)
      .digest();
  }

  #rtcpTag(buffer: Buffer, length: number): Buffer {
    return createHmac('sha1', this.#keys.rtcpAuth).update(buffer.subarray(0, length)).digest();
  }
}
