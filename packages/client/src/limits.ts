/** Every bound of the SDK. Those that mirror the protocol are compared with it by a test. */

/** Bytes of one signal's data (protocol). */
export const SIGNAL_DATA_BYTES_MAX = 8_192;
/** Characters of a signal's type (protocol). */
export const SIGNAL_TYPE_CHARS_MAX = 128;
/** Bytes of one message to the server (protocol): what is larger is refused here, since there it ends the socket. */
export const MESSAGE_BYTES_MAX = 524_288;
/** How often the socket is proven by a ping (protocol). */
export const PING_INTERVAL_MS = 5_000;
/**
 * How long the server keeps a connection whose socket broke (protocol): after it, resuming is pointless, unless media
 * still flows: then it is control that is away, and it keeps every connection for as long again when it returns.
 */
export const RESUME_GRACE_MS = 30_000;
/** A socket that said nothing for two pings and a half is taken for dead; one lost ping is not. */
export const SOCKET_SILENCE_MAX_MS = 12_500;
/** A socket that does not open: DNS, TCP and TLS fit into this on a bad mobile network. */
export const SOCKET_OPEN_TIMEOUT_MS = 10_000;
/** An answer that takes longer is not coming; an offer may wait behind a move, which takes at most 16 s. */
export const REQUEST_TIMEOUT_MS = 20_000;
/** First wait before resuming; short, since most breaks are a restarted server or a changed network. */
export const BACKOFF_BASE_MS = 250;
/** Longest wait between attempts, so that several fit into the grace. */
export const BACKOFF_MAX_MS = 4_000;
/** A socket that breaks sooner counts as one more failure: what breaks it may be what is sent on it. */
export const SOCKET_STABLE_MS = 5_000;
/** Times that a request is repeated on the next socket: one that is never answered may be what breaks them. */
export const RESENDS_MAX = 5;
/** Requests waiting for an answer or for the socket's return; all are sent at once then, and the server takes as many. */
export const REQUESTS_PENDING_MAX = 64;
/** Events held between the answer to connect and the page's first turn. */
export const EVENTS_BUFFERED_MAX = 1_024;
/** Bytes of one message from the server that are looked at: twice an answer of 50 streams. */
export const SERVER_MESSAGE_CHARS_MAX = 524_288;

/** m-lines of the peer connection (protocol): 64 streams that are received, or fewer and some that are sent. */
export const MEDIA_SECTIONS_MAX = 128;
/** Times that one change is offered again because restarts of the server overtook it; moves come minutes apart. */
export const OFFERS_SUPERSEDED_MAX = 8;
/** From the answer to a connected transport: ICE checks and the DTLS handshake, with retransmissions. */
export const MEDIA_CONNECT_TIMEOUT_MS = 15_000;
/** A path may blink; only after this is "disconnected" worth a restart. */
export const ICE_DISCONNECTED_GRACE_MS = 3_000;
/** Restarts asked for before the media path is given up. */
export const RESTART_ATTEMPTS_MAX = 6;
/** One restart: a round trip for the offer and the checks. */
export const RESTART_INTERVAL_MS = 5_000;
/** How often a transport under suspicion is looked at: cheap, and fine enough for the silence below. */
export const SILENCE_SAMPLE_MS = 250;
/** To a transport with media a living node sends media or feedback far more often; one that is silent this long is asked about. */
export const SILENCE_MS = 1_000;
/** One without media gets nothing but answers to checks: each 2.5 s in Chromium and Safari, each 4 to 6 s in Firefox. */
export const SILENCE_WITHOUT_MEDIA_MS = 6_500;
/** A node that control does not see is looked at for this long; what dies later shows by ICE itself. */
export const SUSPICION_MAX_MS = 15_000;
/** Time for another transport when one died with its node; the server allows as much (protocol's resume grace). */
export const REJOIN_MAX_MS = 30_000;

/** Time after a move's end that still belongs to its window: late losses and freezes show within it. */
export const GAP_WINDOW_AFTER_MS = 2_000;
/** A move whose end is never announced is measured no longer than this. */
export const GAP_WINDOW_MAX_MS = 30_000;
/** Frame times kept per subscriber: 17 s at 60 frames a second, room for a window and its like before. */
export const FRAME_TIMES_MAX = 1_024;
/** Moves measured at once: one runs, the tails of a few earlier ones may overlap. */
export const GAP_MEASUREMENTS_MAX = 8;
/** Hidden intervals remembered; older ones are out of every window. */
export const HIDDEN_INTERVALS_MAX = 64;

/** Ten levels a second look alive and cost little. */
export const AUDIO_LEVEL_INTERVAL_MS = 100;

/**
 * Bits per second and pixel of the presets that save bandwidth: 430 and 215 kbit/s at 640x480, about a third and a sixth of what a
 * browser takes for it where it has room.
 */
export const BITS_PER_PIXEL_SAVING = 1.4;
export const BITS_PER_PIXEL_SAVING_MORE = 0.7;
