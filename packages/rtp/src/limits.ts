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
