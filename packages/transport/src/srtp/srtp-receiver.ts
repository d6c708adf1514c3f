import { REPLAY_WINDOW_BITS, SSRC_CONTEXTS_MAX, type FrozenReceive, type SrtpKeys } from '@godwit/datapath';
import { extendSequence } from '@godwit/rtp';
import { SRTCP_INDEX_LIMIT, SRTP_INDEX_LIMIT } from '../limits.js';
import { IndexWindow } from './index-window.js';
import { createPacketCipher } from './create-cipher.js';
import { deriveSessionKeys, zeroSessionKeys, type SessionKeys } from './key-derivation.js';
import { RTCP_CLEAR_BYTES, RTCP_ENCRYPTED, type PacketCipher } from './packet-cipher.js';
import { assertKeySizes } from './profile.js';

/** Refusals of the receiver, in the return value of unprotect. */
export const UNPROTECT_AUTHENTICATION_FAILED = -11;
/** Seen before, or older than the replay window. */
export const UNPROTECT_REPLAYED = -12;
export const UNPROTECT_TOO_SHORT = -13;
export const UNPROTECT_TOO_MANY_SSRCS = -14;

const RTP_FIXED_HEADER_BYTES = 12;
const RTCP_INDEX_WORD_BYTES = 4;

export interface FrozenReceiver {
  readonly receive: FrozenReceive[];
  readonly receiveRtcp: FrozenReceive[];
}
type FrozenReceiverInput = { readonly [K in keyof FrozenReceiver]: readonly FrozenReceive[] };

type Windows = Map<number, IndexWindow>;

/**
 * Authenticates and decrypts incoming SRTP and SRTCP of one transport with the remote keys (RFC 3711, RFC 7714).
 * Only an authenticated packet creates a context, moves a window or a rollover counter.
 */
export class SrtpReceiver {
  /** SRTP or SRTCP index of the packet that was unprotected last. */
  lastIndex = -1;
  readonly #keys: SessionKeys;
  readonly #cipher: PacketCipher;
  #rtp: Windows = new Map();
  #rtcp: Windows = new Map();
  #isClosed = false;

  /** Copies the keys. Throws RangeError on keys of the wrong size. */
  constructor(keys: SrtpKeys) {
    assertKeySizes(keys);
    this.#keys = deriveSessionKeys(keys.profile, keys.remoteKey, keys.remoteSalt);
    this.#cipher = createPacketCipher(this.#keys);
  }

  /** Goes on with another receiver's windows. Throws RangeError on a malformed state. */
  static thaw(keys: SrtpKeys, frozen: FrozenReceiverInput): SrtpReceiver {
    const receiver = new SrtpReceiver(keys);
    receiver.#rtp = thawWindows(frozen.receive, SRTP_INDEX_LIMIT);
    receiver.#rtcp = thawWindows(frozen.receiveRtcp, SRTCP_INDEX_LIMIT);
    return receiver;
  }

  /**
   * Decrypts an SRTP packet in place. `headerLength` includes CSRCs and the extension. Returns the length without
   * the tag, or a negative UNPROTECT_ code: then the buffer is unchanged.
   */
  unprotectRtp(buffer: Buffer, headerLength: number, length: number): number {
    if (headerLength < RTP_FIXED_HEADER_BYTES || length < headerLength + this.#cipher.tagBytes) {
      return UNPROTECT_TOO_SHORT;
    }
    const ssrc = buffer.readUInt32BE(8);
    const window = this.#rtp.get(ssrc);
    const index = extendSequence(window?.highest ?? -1, buffer.readUInt16BE(2));
    const refusal = this.#refuseEarly(window, this.#rtp, index);
    if (refusal !== 0) return refusal;
    const plainLength = this.#cipher.unprotectRtp(buffer, headerLength, length, ssrc, index);
    if (plainLength < 0) return UNPROTECT_AUTHENTICATION_FAILED;
    this.#accept(window, this.#rtp, ssrc, index);
    return plainLength;
  }

  /** Decrypts an SRTCP packet in place. Unencrypted SRTCP (E flag 0) is refused (RFC 8827 6.5). As unprotectRtp. */
  unprotectRtcp(buffer: Buffer, length: number): number {
    if (length < RTCP_CLEAR_BYTES + this.#cipher.tagBytes + RTCP_INDEX_WORD_BYTES) return UNPROTECT_TOO_SHORT;
    const ssrc = buffer.readUInt32BE(4);
    const indexWord = this.#cipher.readRtcpIndexWord(buffer, length);
    if (indexWord < RTCP_ENCRYPTED) return UNPROTECT_AUTHENTICATION_FAILED;
    const index = indexWord - RTCP_ENCRYPTED;
    const window = this.#rtcp.get(ssrc);
    const refusal = this.#refuseEarly(window, this.#rtcp, index);
    if (refusal !== 0) return refusal;
    const plainLength = this.#cipher.unprotectRtcp(buffer, length, ssrc, index);
    if (plainLength < 0) return UNPROTECT_AUTHENTICATION_FAILED;
    this.#accept(window, this.#rtcp, ssrc, index);
    return plainLength;
  }

  /** The replay windows; the receiver may go on (it changes nothing). */
  freeze(): FrozenReceiver {
    return { receive: freezeWindows(this.#rtp), receiveRtcp: freezeWindows(this.#rtcp) };
  }

  /** Forgets the keys; every later packet fails. */
  zero(): void {
    this.#isClosed = true;
    zeroSessionKeys(this.#keys);
  }

  #refuseEarly(window: IndexWindow | undefined, windows: Windows, index: number): number {
    if (this.#isClosed) return UNPROTECT_AUTHENTICATION_FAILED;
    if (index < 0 || index >= SRTP_INDEX_LIMIT) return UNPROTECT_REPLAYED;
    if (window === undefined) return windows.size >= SSRC_CONTEXTS_MAX ? UNPROTECT_TOO_MANY_SSRCS : 0;
    return window.isStale(index) || window.has(index) ? UNPROTECT_REPLAYED : 0;
  }

  #accept(window: IndexWindow | undefined, windows: Windows, ssrc: number, index: number): void {
    let target = window;
    if (target === undefined) {
      target = new IndexWindow(REPLAY_WINDOW_BITS);
      windows.set(ssrc, target);
    }
    target.add(index);
    this.lastIndex = index;
  }
}

function freezeWindows(windows: Windows): FrozenReceive[] {
  return Array.from(windows, ([ssrc, window]) => ({
    ssrc,
    highestIndex: window.highest,
    window: window.toBuffer(),
  }));
}

function thawWindows(frozen: readonly FrozenReceive[], indexLimit: number): Windows {
  if (frozen.length > SSRC_CONTEXTS_MAX) throw new RangeError('too many SSRCs in the state');
  const windows: Windows = new Map();
  for (const { ssrc, highestIndex, window } of frozen) {
    if (windows.has(ssrc)) throw new RangeError(`SSRC ${ssrc} is named twice in the state`);
    if (!Number.isSafeInteger(highestIndex) || highestIndex < 0 || highestIndex >= indexLimit) {
      throw new RangeError('the state holds an index outside its space');
    }
    windows.set(ssrc, IndexWindow.from(REPLAY_WINDOW_BITS, highestIndex, window));
  }
  return windows;
}
