/** Bounds of this package that are not shared with the packet path (those are in @godwit/datapath). */

/** SRTP indices have 48 bits (RFC 3711 3.3.1), SRTCP indices 31 (3.4). One key never goes beyond. */
export const SRTP_INDEX_LIMIT = 2 ** 48;
export const SRTCP_INDEX_LIMIT = 2 ** 31;

/** RFC 7675 5.1: consent ends 30 s after the last check. */
export const CONSENT_TIMEOUT_MS = 30_000;
/** Unauthenticated requests answered a second: enough for a client with a stale password to notice. */
export const ICE_REFUSALS_PER_SECOND_MAX = 10;

/** A handshake takes two round trips; 15 s outlast six retransmissions on a bad network. */
export const DTLS_HANDSHAKE_TIMEOUT_MS = 15_000;
/** Flight retransmission: WebRTC clients begin low because the path is known to be alive (RFC 6347 4.2.4.1). */
export const DTLS_RETRANSMIT_INITIAL_MS = 250;
export const DTLS_RETRANSMIT_MAX_MS = 4_000;
/** A client that repeats its flight gets ours again, but not more often than this. */
export const DTLS_RESEND_INTERVAL_MS = 20;
/** Sendings of one flight, by timer or by request. */
export const DTLS_FLIGHT_SENDS_MAX = 64;
/** Datagrams read for one handshake: two flights of about four, many times over. */
export const DTLS_DATAGRAMS_MAX = 512;
/** Records read of one datagram: a whole flight with a fragmented certificate has about ten. */
export const DTLS_RECORDS_PER_DATAGRAM_MAX = 32;
/** A certificate chain of a client, or a ClientHello with post-quantum key shares. */
export const DTLS_MESSAGE_BYTES_MAX = 8_192;
/** Handshake messages held ahead of a missing one: a flight has four. */
export const DTLS_MESSAGES_AHEAD_MAX = 8;
/** Encrypted records that overtook the messages which make their keys. */
export const DTLS_HELD_RECORDS_MAX = 2;
/** A datagram of ours, bytes: fits every path that carries WebRTC. */
export const DTLS_DATAGRAM_BYTES = 1_200;

/** A portable state, bytes: SSRC_CONTEXTS_MAX with the largest windows and a full feedback interval stay well below. */
export const STATE_BYTES_MAX = 256 * 1024;
/** Its JSON header, bytes. */
export const STATE_HEADER_BYTES_MAX = 192 * 1024;
