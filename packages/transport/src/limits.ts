/** Bounds of this package that are not shared with the packet path (those are in @godwit/datapath). */

/** Longest SRTP or SRTCP trailer: 16-byte GCM tag and the SRTCP index word (RFC 7714 9.2). */
export const SRTP_TRAILER_BYTES_MAX = 20;
/** SRTP indices have 48 bits (RFC 3711 3.3.1), SRTCP indices 31 (3.4). One key never goes beyond. */
export const SRTP_INDEX_LIMIT = 2 ** 48;
export const SRTCP_INDEX_LIMIT = 2 ** 31;
