/** Bounds of the media node. Numbers of HANDOVER carry its section. */

/** Indices granted with TRANSFER: at 300 packets a second 27 s, far beyond the RELEASE that follows (2.5). */
export const GRANT_INDICES = 8_192;
/** How long a proven move waits for streams without holes before it freezes the transport all the same. */
export const SETTLE_MS = 200;
/** Identical ciphertext goes to the old and the new path for at most this long (2.3). */
export const DUPLICATE_PATHS_MS = 1_000;
/** A cache that is to serve NACKs after the move must span this much (2.2). */
export const CACHE_SPAN_BEFORE_MOVE_MS = 500;
/** A relay that has carried nothing for this long is of a muted stream (DTX still sends every 400 ms). */
export const RELAY_QUIET_MS = 800;
/** Relays flow within a round trip; a cache that has not filled by then never will. */
export const RELAY_READY_TIMEOUT_MS = 3_000;
/**
 * A source whose move has not come to its transfer by then gives it up: control allows 12 s for a restart and its proof,
 * as long again for the way home of a rehearsal, so by then there is no control that would end it.
 */
export const SOURCE_PATIENCE_MS = 30_000;
/** TRANSFER is repeated this often until ACCEPTED: some round trips inside a data centre. */
export const TRANSFER_REPEAT_MS = 30;
/** After the first repeats the pace slows down: the target is away, not slow. */
export const TRANSFER_REPEAT_SLOW_MS = 250;
export const TRANSFER_FAST_REPEATS = 16;
/** Silence from the target and from control both, after which the source takes the transport back (2.6). */
export const TAKE_BACK_SILENCE_MS = 500;
/** A tick that comes this late: the process stood still, and silence before it says nothing. Half of the patience above. */
export const STANDSTILL_MS = 250;
/** RELEASE and ABORT are repeated this often until acknowledged. */
export const CONFIRM_REPEAT_MS = 50;
/** How long the source forwards what still arrives for the transport (2.7). */
export const LINGER_MS = 10_000;
/** How long the target remembers that it refused or forgot a move. */
export const TOMBSTONE_MS = 30_000;
/** A target that has heard no RELEASE by then tells control of the move itself: the source may have died. */
export const REPORT_FOR_SOURCE_MS = 500;
/** An owner that only the other node of its move can set free asks control instead, after this and as often. */
export const RELEASE_WANTED_MS = 1_000;
/** A prepared target that hears nothing of its move forgets it. */
export const PREPARED_TTL_MS = 20_000;
/** Bytes of sealed state in one handover message: below the link message limit with its header. */
export const TRANSFER_FRAGMENT_BYTES = 1_024;
/** 64 KB of state: 200 egress streams by the size budget of HANDOVER 4. */
export const TRANSFER_FRAGMENTS_MAX = 64;
/** Moves remembered at a time, both roles and tombstones: a drain of a full node. */
export const MOVES_MAX = 4_096;
/** How often the node's clockwork runs: below the feedback interval, above timer noise. */
export const TICK_INTERVAL_MS = 10;
/** Advertised ports of one address when GODWIT_RTC_PORTS is not set. */
export const EMBEDDED_PORTS_PER_ADDRESS = 4;
/** Addresses announced by default; a host with more interfaces names the ones it means. */
export const ANNOUNCED_ADDRESSES_MAX = 8;
/** A refused encryption is logged this often at most: a spent grant refuses every packet of a transport. */
export const GUARD_LOG_INTERVAL_MS = 1_000;
/** Transports of one node process; beyond it createTransport is refused as busy. */
export const TRANSPORTS_MAX = 4_096;
/** Links to other nodes. */
export const LINKS_MAX = 1_024;
/** How often a link's round trip and clock offset are sampled. */
export const LINK_PING_INTERVAL_MS = 200;
/** Samples kept by the clock filter: the one with the smallest round trip counts. */
export const LINK_CLOCK_SAMPLES = 16;
/** Relay frames of the former ingress owner are accepted for this long after a change (5). */
export const FORMER_INGRESS_MS = 2_000;
/** Sessions whose control is remembered: as many as a node may hold transports. */
export const SESSION_TERMS_MAX = 65_536;
/** First and longest pause before the node dials control again. */
export const CONTROL_RECONNECT_MS = 250;
export const CONTROL_RECONNECT_MS_MAX = 5_000;
/** Control pings at this pace; silence for three of them closes the socket. */
export const CONTROL_SILENCE_MS = 4_000;
/** Messages to control kept while the socket is away: the outcome of every running move. */
export const CONTROL_BACKLOG_MAX = 8_192;
/** How long a stopping node waits for the next of its transports to leave. */
export const STOP_GRACE_MS = 8_000;
/**
 * An answer that ends a client's ICE generation waits this long beyond the nodes' round trip: Firefox closes its former
 * address as soon as it reads it, and loses what it has not read there.
 */
export const FORMER_ADDRESS_DRAIN_MS = 5;
/** At most: 20 ms after the first check (and our clockwork adds 10) clients check, and select, another pair of addresses. */
export const ANSWER_DELAY_MAX_MS = 10;
/** Such answers waiting per transport: one check for each pair of addresses, some repeated. */
export const ANSWERS_DELAYED_MAX = 8;
/** A stopping node that its transports leave one by one ends after this all the same. */
export const STOP_MAX_MS = 120_000;
