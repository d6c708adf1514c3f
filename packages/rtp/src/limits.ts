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

/** Lines of one SDP: an m-line of Chromium's has up to 95, and there may be 128 of them. */
export const SDP_LINES_MAX = 16_384;
/** Characters of one SDP line: the longest in use lists the mids of a BUNDLE group. */
export const SDP_LINE_CHARS_MAX = 8_192;
/** Payload types of one m-line: the field has 7 bits. */
export const PAYLOAD_TYPES_PER_SECTION_MAX = 128;
/** a=rtcp-fb lines of one section: six for each of 40 payload types, and room. */
export const FEEDBACK_LINES_PER_SECTION_MAX = 512;
/** Kinds of feedback of one codec: browsers offer five. */
export const FEEDBACK_PER_CODEC_MAX = 16;
/** a=extmap lines of one section: browsers offer about 15. */
export const EXTENSIONS_PER_SECTION_MAX = 64;
/** SSRCs of one section: media, RTX and FEC of a few simulcast layers. */
export const SSRCS_PER_SECTION_MAX = 32;
/** a=rid lines of one section: encodings of one publisher, as in a stream route. */
export const RIDS_PER_SECTION_MAX = 8;
/** A mid: as in the rules that nodes get. */
export const MID_CHARS_MAX = 32;
/** An msid or CNAME: browsers use 36 characters. */
export const SDP_TOKEN_CHARS_MAX = 256;
/** Parameters of one codec (a=fmtp), as in the protocol's CodecFormat. */
export const FORMAT_PARAMETERS_CHARS_MAX = 512;
/** Name of one codec, as in the protocol's CodecFormat. */
export const CODEC_NAME_CHARS_MAX = 32;
/** One candidate line. */
export const CANDIDATE_CHARS_MAX = 512;
