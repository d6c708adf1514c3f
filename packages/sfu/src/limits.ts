/** Bounds of the routing decisions. */

/** Missing packets tracked per stream; more at once is an outage: a key frame serves better. */
export const MISSING_PACKETS_MAX = 512;
/** A packet is asked for this often before it stays a visible gap. */
export const NACK_ATTEMPTS_MAX = 8;
/** First repetition of a NACK; about the round trip of a client nearby. */
export const NACK_REPEAT_MS = 40;
/** Each further pause grows by this factor, so that a distant client's repair is not asked for eight times. */
export const NACK_REPEAT_GROWTH = 1.5;
/** Older than this a packet cannot reach a jitter buffer in time. */
export const NACK_AGE_MS_MAX = 1_500;
/** Key frames of one encoding are asked for at most this often: each costs as much as ten ordinary frames. */
export const KEY_FRAME_REQUEST_INTERVAL_MS = 500;
/** Transport-cc feedback pace: libwebrtc's own default range is 50 to 250 ms. */
export const TRANSPORT_CC_INTERVAL_MS = 50;
/** Numbers that arrive this far behind the last report are of no more use to an estimator. */
export const TRANSPORT_CC_LATE_MAX = 256;
/** Receiver reports towards publishers; RFC 3550 6.2 allows one every few seconds, senders like one a second. */
export const RECEIVER_REPORT_INTERVAL_MS = 1_000;
/** Sender reports of one stream are passed on at most this often: browsers send one to three a second. */
export const SENDER_REPORT_INTERVAL_MS = 100;
/** Report blocks of one RR (RFC 3550 6.4.1: five bits). */
export const REPORT_BLOCKS_MAX = 31;
/** A hole in a stream that has not closed by then is a loss, not a reordering: no move waits for it any longer. */
export const HOLE_PATIENCE_MS = 150;
/** Holes tracked per stream; more is an outage. */
export const HOLES_MAX = 256;
