import type { FrozenSend, Grant, SrtpKeys } from '@godwit/datapath';
import { SRTCP_INDEX_LIMIT, SRTP_INDEX_LIMIT } from '../limits.js';
import { createPacketCipher } from './create-cipher.js';
import { deriveSessionKeys, zeroSessionKeys, type SessionKeys } from './key-derivation.js';
import {
  guardRefusal,
  NonceGuard,
  type GuardCode,
  type GuardRefusal,
  type IndexRange,
} from './nonce-guard.js';
import { RTCP_CLEAR_BYTES, type PacketCipher } from './packet-cipher.js';
import { assertKeySizes } from './profile.js';

const RTCP_INDEX_WORD_BYTES = 4;

/** The moving part of a sender: where the next owner goes on. */
export interface FrozenSender {
  readonly send: FrozenSend[];
  readonly sendRtcp: FrozenSend[];
}

/** What the guard refused last. */
export interface SrtpRefusal {
  readonly ssrc: number;
  /** 48-bit SRTP index, or the SRTCP index. */
  readonly index: number;
  readonly reason: GuardRefusal;
}

/**
 * Protects outgoing SRTP and SRTCP of one transport with its local keys (RFC 3711, RFC 7714). The keys are copied;
 * `zero` forgets them. The cipher is called for admitted indices only, once each.
 */
export class SrtpSender {
  readonly #keys: SessionKeys;
  readonly #cipher: PacketCipher;
  readonly #rtp: NonceGuard;
  readonly #rtcp: NonceGuard;
  #refusal: SrtpRefusal | null = null;

  /** A first owner: right after the handshake. Throws RangeError on keys of the wrong size. */
  constructor(keys: SrtpKeys, guards?: { readonly rtp: NonceGuard; readonly rtcp: NonceGuard }) {
    assertKeySizes(keys);
    this.#keys = deriveSessionKeys(keys.profile, keys.localKey, keys.localSalt);
    this.#cipher = createPacketCipher(this.#keys);
    this.#rtp = guards?.rtp ?? new NonceGuard(SRTP_INDEX_LIMIT);
    this.#rtcp = guards?.rtcp ?? new NonceGuard(SRTCP_INDEX_LIMIT);
  }

  /**
   * A later owner. Each SSRC named goes on at its nextIndex and may use `grant.count` indices; an SSRC that is not
   * named waits for {@link liftCeiling}. Throws RangeError on a malformed state.
   */
  static thaw(keys: SrtpKeys, frozen: FrozenSenderInput, grant: Grant): SrtpSender {
    return new SrtpSender(keys, {
      rtp: NonceGuard.thaw(SRTP_INDEX_LIMIT, frozen.send, grant),
      rtcp: NonceGuard.thaw(SRTCP_INDEX_LIMIT, frozen.sendRtcp, grant),
    });
  }

  /** Null until a packet was refused. */
  get lastRefusal(): SrtpRefusal | null {
    return this.#refusal;
  }

  /** True from thaw or resume with a bounded grant until {@link liftCeiling}: the transport must not move on yet. */
  get isLimited(): boolean {
    return this.#rtp.isLimited;
  }

  /**
   * Encrypts an RTP packet in place. The buffer needs room for the tag behind `length`; its sequence number must be
   * the low 16 bits of the index (else RangeError). Returns the new length, or a negative GUARD_ code: then the
   * buffer is unchanged.
   */
  protectRtp(buffer: Buffer, headerLength: number, length: number, index: number): number {
    if (buffer.length < length + this.#cipher.tagBytes) throw new RangeError('no room for the SRTP trailer');
    if (!Number.isSafeInteger(index) || buffer.readUInt16BE(2) !== (index & 0xffff)) {
      throw new RangeError('the index does not fit the sequence number');
    }
    const ssrc = buffer.readUInt32BE(8);
    const verdict = this.#rtp.admit(ssrc, index);
    if (verdict !== 0) return this.#refuse(ssrc, index, verdict);
    return this.#cipher.protectRtp(buffer, headerLength, length, ssrc, index);
  }

  /** Encrypts a compound RTCP packet in place under the next SRTCP index of its sender SSRC. As protectRtp. */
  protectRtcp(buffer: Buffer, length: number): number {
    if (length < RTCP_CLEAR_BYTES) throw new RangeError('too short for RTCP');
    if (buffer.length < length + this.#cipher.tagBytes + RTCP_INDEX_WORD_BYTES) {
      throw new RangeError('no room for the SRTCP trailer');
    }
    const ssrc = buffer.readUInt32BE(4);
    const index = this.#rtcp.nextIndex(ssrc) ?? 0;
    const verdict = this.#rtcp.admit(ssrc, index);
    if (verdict !== 0) return this.#refuse(ssrc, index, verdict);
    return this.#cipher.protectRtcp(buffer, length, ssrc, index);
  }

  /** Lowest SRTP index above everything used by any owner; null for an SSRC never used. */
  nextIndex(ssrc: number): number | null {
    return this.#rtp.nextIndex(ssrc);
  }

  /** What this owner may still use, for audits of who may use what. */
  ranges(): { readonly rtp: IndexRange[]; readonly rtcp: IndexRange[] } {
    return { rtp: this.#rtp.ranges(), rtcp: this.#rtcp.ranges() };
  }

  nextRtcpIndex(ssrc: number): number | null {
    return this.#rtcp.nextIndex(ssrc);
  }

  /** Refuses every packet from now on and returns the marks, all exhausted if {@link isLimited}. Throws when frozen. */
  freeze(): FrozenSender {
    return { send: this.#rtp.freeze(), sendRtcp: this.#rtcp.freeze() };
  }

  /**
   * The frozen owner takes its transport back, `skip` indices above what freeze returned: at least as many as it
   * granted to the other owner.
   */
  resume(skip: number, grant: Grant): void {
    this.#rtp.resume(skip, grant);
    this.#rtcp.resume(skip, grant);
  }

  /**
   * No other owner is left (RELEASE): no ceiling any more, new SSRCs allowed. `skip`: indices left out above each
   * ceiling, since another owner was declared dead but may have used them.
   */
  liftCeiling(skip = 0): void {
    this.#rtp.liftCeiling(skip);
    this.#rtcp.liftCeiling(skip);
  }

  /** Forgets the keys; every later packet is refused. */
  zero(): void {
    this.#rtp.close();
    this.#rtcp.close();
    zeroSessionKeys(this.#keys);
  }

  #refuse(ssrc: number, index: number, verdict: GuardCode): GuardCode {
    this.#refusal = { ssrc, index, reason: guardRefusal(verdict) };
    return verdict;
  }
}

type FrozenSenderInput = { readonly [K in keyof FrozenSender]: readonly FrozenSend[] };
