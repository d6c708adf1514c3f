/** Bounds that more than one process relies on. Each has its reason beside it. */

/** A signalling message, bytes. Chromium's offer of 50 streams is 307 KB, 3 KB for each m-line; one of MEDIA_SECTIONS_MAX fits. */
export const SIGNALLING_MESSAGE_BYTES_MAX = 524_288;
/** Payload of one signal (Vonage: 8 kB). */
export const SIGNAL_DATA_BYTES_MAX = 8_192;
/** Type of one signal (Vonage: 128 characters). */
export const SIGNAL_TYPE_CHARS_MAX = 128;
/** Connection data carried by a token (the Vonage SDKs refuse more). */
export const CONNECTION_DATA_CHARS_MAX = 1_024;
/** Stream names are shown, not stored as documents. */
export const STREAM_NAME_CHARS_MAX = 1_000;
/** Streams that one mute of a session may leave out: more have no place in one session. */
export const EXCLUDED_STREAMS_MAX = 1_000;
/** Session ids (Vonage: 255). */
export const SESSION_ID_CHARS_MAX = 255;
/**
 * SSRCs ever given to one transport's egress, three for each subscription: they are never used again. Beyond it a client has
 * to connect anew, after some 500 subscriptions.
 */
export const EGRESS_SSRCS_MAX = 1_500;
/** An SDP offer, characters: below the message limit, so that the clear error comes from the SDP check. */
export const SDP_CHARS_MAX = 450_000;
/** m-lines in one connection: 50 streams of audio and video each way, and some to recycle. */
export const MEDIA_SECTIONS_MAX = 128;
/** A message between control and node, bytes: desired state of one transport with MEDIA_SECTIONS_MAX sections. */
export const NODE_MESSAGE_BYTES_MAX = 1_048_576;
/** How often a node says that it lives. Three missed beats make it suspect. */
export const NODE_HEARTBEAT_INTERVAL_MS = 1_000;
/** How often client and control prove their socket to each other. */
export const SIGNALLING_PING_INTERVAL_MS = 5_000;
/** How long a client without a socket stays in the roster, so that it can resume. */
export const SIGNALLING_RESUME_GRACE_MS = 30_000;
/** Events kept for a client that resumes; more than this missed means a fresh join. */
export const SIGNALLING_REPLAY_EVENTS_MAX = 512;
/**
 * How often control shows a node that it is there (a WebSocket ping). A source takes a transport back after 500 ms of
 * silence from the target and from control both, so this must be well below.
 */
export const NODE_PING_INTERVAL_MS = 150;
/** Controls of one database: each node holds a socket to every one of them. */
export const REPLICAS_MAX = 16;
