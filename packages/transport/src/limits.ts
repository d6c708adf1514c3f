/** Bounds of this package that are not shared with the packet path (those are in @godwit/datapath). */

/** Longest SRTP or SRTCP trailer: 16-byte GCM tag and the SRTCP index word (RFC 7714 9.2). */
export const SRTP_TRAILER_BYTES_MAX = 20;
/** SRTP indices have 48 bits (RFC 3711 3.3.1), SRTCP indices 31 (3.4). One key never goes beyond. */
export const SRTP_INDEX_LIMIT = 2 ** 48;
export const SRTCP_INDEX_LIMIT = 2 ** 31;

/** RFC 7675 5.1: consent ends 30 s after the last check. */
export const CONSENT_TIMEOUT_MS = 30_000;
/** Validated pairs remembered per agent: two families, old and new path, twice (as BOUND_REMOTES_MAX). */
export const ICE_PAIRS_MAX = 8;
/** Checks answered a second: a browser with ten pairs checks each at most every 48 ms, about 210 in all. */
export const ICE_REPLIES_PER_SECOND_MAX = 250;
/** Unauthenticated requests answered a second: enough for a client with a stale password to notice. */
export const ICE_REFUSALS_PER_SECOND_MAX = 10;
/** Addresses used in one ICE generation that are remembered: one per hop and family, hops end before this. */
export const ICE_USED_ADDRESSES_MAX = 512;
