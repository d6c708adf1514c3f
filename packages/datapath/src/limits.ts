/** Bounds of every datapath. */
import { EGRESS_SSRCS_MAX } from '@godwit/protocol';

/** Replay protection, packets: libsrtp in browsers uses 1024 too; far above any reordering seen. */
export const REPLAY_WINDOW_BITS = 1_024;
/** Nonce guard: sent indices remembered per SSRC. */
export const GUARD_WINDOW_BITS = 1_024;
/** Duplicates of a relayed stream are found within this many indices (HANDOVER 5). */
export const RELAY_DEDUPE_BITS = 1_024;
/** Cached packets of one video encoding: about 2 s at 4 Mbit/s. A power of two. */
export const VIDEO_CACHE_PACKETS = 1_024;
/** Cached packets of one audio encoding: 2.5 s at 50 a second. A power of two. */
export const AUDIO_CACHE_PACKETS = 128;
/** Packets kept while ownership is undecided: 1 s of a busy publisher. */
export const HELD_PACKETS_MAX = 1_024;
/** Mappings kept per egress: each pause and resume adds one, the cache span seldom holds more. */
export const EGRESS_MAPPINGS_MAX = 8;
/** Transport-cc arrivals kept between two feedback reports (50 to 100 ms apart). */
export const ARRIVALS_MAX = 2_048;
/** A larger jump of a stream's index is a restart or an attack, never repaired packet by packet. */
export const GAP_PACKETS_MAX = 512;
/**
 * SSRC contexts of one transport and direction. Those of a sender are never forgotten (nonces): every egress that the
 * transport ever had, and its own RTCP. A state with all of them fits into TRANSFER's 64 fragments.
 */
export const SSRC_CONTEXTS_MAX = EGRESS_SSRCS_MAX + 48;
/**
 * Remote addresses bound to one transport at a time. A client checks a server's address from each of its own: three
 * interfaces with both families make six, an ICE restart opens six more ports, and the old path is checked beside the new.
 */
export const BOUND_REMOTES_MAX = 32;
/** Bytes sent to an address before it has proven itself, per byte received from it (RFC 9000 8.1 has the same). */
export const UNPROVEN_AMPLIFICATION_MAX = 3;
/** What an unproven address may have earned and not been sent, bytes: half a second of a 4 Mbit/s video. */
export const UNPROVEN_ALLOWANCE_BYTES_MAX = 256 * 1024;
/**
 * Ciphertext kept for an unproven address beyond its allowance, bytes: 100 ms of 8 Mbit/s. It is sent with the proof, so that a
 * client that has closed its former address misses nothing.
 */
export const UNPROVEN_HELD_BYTES_MAX = 100 * 1024;
/** Older ciphertext is of no use: no jitter buffer waits for it. Both paths are used no longer than this either. */
export const UNPROVEN_HELD_MS = 1_000;
/**
 * How long authenticated media speaks for the address that it came from. As long as consent (RFC 7675 5.1): browsers send
 * RTCP every few seconds while there is media, and an address that a client has left goes to somebody else one day.
 */
export const PROOF_LIFETIME_MS = 30_000;
/** Nodes whose frames about one transport are taken: those of its last moves. */
export const MOVE_PEERS_MAX = 4;
/** A UDP payload that fits an Ethernet path with IPv6 and tunnels. Larger datagrams are dropped. */
export const DATAGRAM_BYTES_MAX = 1_500;
/** One link message, bytes, before sealing. */
export const LINK_MESSAGE_BYTES_MAX = 1_200;
/** Repair requests in one link frame. */
export const REPAIR_INDICES_MAX = 128;
/** Exceptions of one batch; the next batch follows at once. */
export const EXCEPTION_BATCH_MAX = 1_024;
/** Kernel buffers of each socket: a 100-packet burst overflows the defaults. */
export const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
