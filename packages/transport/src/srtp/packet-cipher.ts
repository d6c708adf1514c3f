/**
 * One direction's encryption of single packets, without any memory of what was sent or seen: that is the guard's and
 * the replay window's part. Not exported from the package. All work is in place; lengths are of the whole packet;
 * the index is the 48-bit SRTP index or the 31-bit SRTCP index.
 */
export interface PacketCipher {
  /** Bytes that protection adds to an RTP packet; an RTCP packet gets 4 more for its index word. */
  readonly tagBytes: number;
  /** Returns the new length. */
  protectRtp(buffer: Buffer, headerLength: number, length: number, ssrc: number, index: number): number;
  /** Returns the plaintext length, or -1 when authentication failed (the buffer is then unchanged). */
  unprotectRtp(buffer: Buffer, headerLength: number, length: number, ssrc: number, index: number): number;
  protectRtcp(buffer: Buffer, length: number, ssrc: number, index: number): number;
  unprotectRtcp(buffer: Buffer, length: number, ssrc: number, index: number): number;
  /** SRTCP index word (E flag and index, RFC 3711 3.4) of a protected packet that is long enough. */
  readRtcpIndexWord(buffer: Buffer, length: number): number;
}

/** The E flag of an SRTCP index word. */
export const RTCP_ENCRYPTED = 0x8000_0000;
/** Fixed header of an RTCP packet that stays in clear: first word and sender's SSRC. */
export const RTCP_CLEAR_BYTES = 8;
