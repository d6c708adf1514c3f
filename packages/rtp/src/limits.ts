/** Bounds of this package. Each has its reason beside it. */

/** Extension elements in one RTP header: one per negotiated id, and nobody negotiates more than a dozen. */
export const HEADER_EXTENSIONS_MAX = 16;
/** Bytes of the elements of one composed extension block: a dependency descriptor with structure and a full mid. */
export const HEADER_EXTENSION_BYTES_MAX = 1_024;

/** A STUN message, bytes: it has to fit one Ethernet frame (RFC 8489 6.1). */
export const STUN_MESSAGE_BYTES_MAX = 1_500;
/** Attributes read of one STUN message: browsers send about eight. */
export const STUN_ATTRIBUTES_MAX = 32;
/** USERNAME, bytes (RFC 8489 14.3: fewer than 513). */
export const STUN_USERNAME_BYTES_MAX = 512;
/** Reason phrase of ERROR-CODE, bytes (RFC 8489 14.8: at most 763). */
export const STUN_REASON_BYTES_MAX = 763;

/** Packets read of one RTCP compound: a report, SDES and feedback for every stream of a transport fit. */
export const RTCP_PACKETS_MAX = 128;
/** Sequence numbers read of one NACK: more than a cache holds of a stream's recent past is no use. */
export const NACK_SEQUENCES_MAX = 1_024;
/** Packet statuses in one transport-cc feedback: a quarter of a second at 150 Mbit/s. */
export const TRANSPORT_FEEDBACK_STATUSES_MAX = 4_096;
/** Packet statuses written into one feedback: at worst 2 bytes of delta each and 2 per 7 of chunks, below an MTU. */
export const TRANSPORT_FEEDBACK_STATUSES_WRITTEN_MAX = 500;
/** A CNAME or BYE reason, bytes: the length field has 8 bits. */
export const RTCP_TEXT_BYTES_MAX = 255;
/** Items of one count field (report blocks, chunks, sources): it has 5 bits. */
export const RTCP_COUNT_MAX = 31;
