/** Bounds of the control plane. Each has its reason beside it. */

/** A command to a node: filling caches for a move takes up to a second; beyond this the node is as good as gone. */
export const NODE_COMMAND_TIMEOUT_MS = 5_000;
/** Beats that may be missed before a node counts as unreachable; its calls go on. */
export const NODE_HEARTBEATS_MISSED_MAX = 3;
/** A node that opens its socket must prove itself within this. */
export const NODE_REGISTRATION_TIMEOUT_MS = 5_000;
/** Sockets that have not proven yet that they are nodes: a whole fleet may come back at once. */
export const NODES_UNREGISTERED_MAX = 256;
/** Commands waiting for one node's answer: beyond this the node is stuck and gets no more. */
export const NODE_COMMANDS_PENDING_MAX = 4_096;
/** After a start of control: how long known nodes may take to report before their transports count as lost. */
export const NODE_REPORT_GRACE_MS = 15_000;
/**
 * A node whose socket has been away this long counts as dead for the transports that it was handing over. Longer than the
 * node's own patience with a silent control (4 s), so that one that lives knows by then; shorter than a grant of 8,192
 * indices lasts at 1,000 packets a second.
 */
export const NODE_DEAD_MS = 5_000;
/**
 * A node without a socket that has said nothing for this long counts as gone once a client, too, says that nothing comes
 * from it: two missed beats, in which a node that lives has dialled again three times.
 */
export const NODE_MISSING_AFTER_MS = 2_000;
/** How often the fate of a node is looked at while a client waits for it. */
export const NODE_FATE_POLL_MS = 50;
/** A client whose transport is lost is given this long for another one: as long as one whose socket broke. */
export const REJOIN_TIMEOUT_MS = 30_000;
/** A node that is away from every control this long and owns nothing is forgotten; its id is free again. */
export const NODE_FORGET_MS = 60_000;
/** Nodes of one installation; the peers message holds as many. */
export const NODES_MAX = 256;

/** A planned end is at most this far ahead: what lies further is a mistake, such as microseconds for milliseconds. */
export const PLANNED_END_AHEAD_MAX_MS = 31_622_400_000;
/** Characters of its reason: a sentence for people. */
export const PLANNED_END_REASON_CHARS_MAX = 256;
/**
 * Sessions are told this long before the end of their node (Vonage: 4 h and 1 h), and within the first of these a node
 * counts as one that ends soon.
 */
export const END_NOTICES_SECONDS = [14_400, 3_600] as const;
export const NODE_ENDS_SOON_MS = END_NOTICES_SECONDS[0] * 1_000;
/** A plan that was made up to so much later than a notice's time still has it: "in 4 h" is said before it is heard. */
export const END_NOTICE_SLACK_MS = 60_000;
/** How often planned ends are looked at: a notice is late by no more than this, and so is one for a session that moved there. */
export const PLANNED_END_LOOK_MS = 5_000;
/** A plan whose time is over and whose node is gone is forgotten after this: a node that comes back later is not meant by it. */
export const PLANNED_END_KEPT_MS = 86_400_000;

/** Moves of one session that are prepared at a time: each is a cache on the target, which the session's others share. */
export const MOVES_CONCURRENT_MAX = 16;
/** Sessions that are drained from a stopping node at a time: while some fill their caches (500 ms), others move. */
export const DRAINS_CONCURRENT_MAX = 8;
/**
 * Moves of one node that are prepared or further: most wait for their caches. At about 0.7 s each, as many as make 100 a
 * second. A move that waits for its turn here holds up nothing.
 */
export const NODE_MOVES_BEGUN_MAX = 96;
/**
 * Moves of one node that are between telling the client and their end. More would wait for each other inside the nodes, and
 * what waits there is a gap that people hear: on two cores 8 moved 60 transports a second instead of 40, at twice the gap.
 */
export const NODE_MOVES_ACTIVE_MAX = 4;
/** A client that does not take the new path holds up the moves of others no longer than this; most need half of it. */
export const MOVE_SLOT_HOLD_MS = 250;
/** From telling the client to the first authenticated packet over the new path. Chromium needs about 0.1 s. */
export const PATH_PROOF_TIMEOUT_MS = 6_000;
/** From the proof to the end of the transfer: the nodes repeat for 500 ms and decide by themselves. */
export const TRANSFER_TIMEOUT_MS = 5_000;
/** The same once one of the two nodes has lost its socket: a target tells after 500 ms that its source is silent. */
export const TRANSFER_ALONE_MS = 1_000;
/** A client's answer to a restart offer; a hidden page may be slow. */
export const RESTART_ANSWER_TIMEOUT_MS = 6_000;
/** A transport that is still in its handshake when its session migrates is given this long. */
export const CONNECTED_WAIT_MS = 5_000;
/** Candidate priorities: 2^16 above the last one per hop (HANDOVER 6). */
export const CANDIDATE_PRIORITY_STEP = 0x10000;
/**
 * A type preference of 64 instead of the 126 that RFC 8445 5.1.2.1 recommends for hosts: all our candidates are hosts,
 * and the room above lasts for 16,383 hops.
 */
export const CANDIDATE_PRIORITY_BASE = 64 * 2 ** 24 + 255;
/** RFC 8445 5.1.2: priorities are at most 2^31 - 1. */
export const CANDIDATE_PRIORITY_MAX = 2 ** 31 - 1;

/** Time to connect or resume on a fresh socket. */
export const SIGNALLING_FIRST_MESSAGE_MS = 10_000;
/** A socket without any message for this long is closed: three pings were missed. */
export const SIGNALLING_SILENCE_MS = 15_000;
/** Messages a client may send in a burst: publishing to and subscribing to 50 streams takes about as many. */
export const SIGNALLING_BURST_MESSAGES = 200;
/** Messages a client may send on in the long run. */
export const SIGNALLING_MESSAGES_PER_SECOND = 50;
/** Requests of one client in work or queued. */
export const SIGNALLING_REQUESTS_PENDING_MAX = 64;
/** Replies kept for requests that are repeated after a resume: more than the SDK leaves unanswered. */
export const SIGNALLING_REPLIES_KEPT_MAX = 256;
/** Characters of such replies, of one connection: answers to offers are the large ones, up to 120 kB. */
export const SIGNALLING_REPLIES_KEPT_CHARS_MAX = 1_048_576;
/** Bytes queued towards a client that does not read; then its socket is closed and it may resume. */
export const SIGNALLING_BACKLOG_BYTES_MAX = 4_194_304;
/** Sockets that have not said who they are, of the whole process. */
export const SIGNALLING_UNIDENTIFIED_MAX = 1_000;
/** Bad messages before the socket is closed: a peer that speaks another protocol is not worth reading. */
export const SIGNALLING_BAD_MESSAGES_MAX = 20;

/** Sessions of a control that is gone which another takes up at a time: the others take theirs meanwhile. */
export const ORPHANS_AT_ONCE_MAX = 64;
/** How often a control looks for such sessions when nobody has told it of any. */
export const ORPHANS_INTERVAL_MS = 2_000;
/** A control that has just started and knows no node yet leaves them to others for this long. */
export const ORPHANS_PATIENCE_MS = 3_000;
/** How often a control that has lost the database asks the nodes whether others have taken over. */
export const PROBE_INTERVAL_MS = 2_000;
/** Sessions that it asks for at a time: all were taken over together, so one that is refused is enough. */
export const PROBED_AT_ONCE_MAX = 64;
/** A session that nobody has been in or asked for during this time is let go: whoever is asked next keeps it. */
export const SESSION_IDLE_MS = 60_000;
/** Signals of one session that can be told again: as many as one read answers. */
export const SIGNALS_KEPT_MAX = 1_000;
/** Signals are told again for this long: twice as long as a client whose control is away is waited for. */
export const SIGNALS_KEPT_MS = 60_000;
/** Signals of one session that are written in one transaction. */
export const SIGNALS_PER_WRITE_MAX = 100;
/** How often control writes that it has seen its nodes: a few times in NODE_FORGET_MS. */
export const NODES_SEEN_INTERVAL_MS = 15_000;
/** How long a control looks for the one that keeps a session: a little longer than one that died is counted as alive. */
export const KEEPER_WAIT_MS = 8_000;
/** Between two looks. */
export const KEEPER_POLL_MS = 200;
/** The control that keeps a session takes a socket within this, or is about to be taken for dead. */
export const KEEPER_ANSWER_MS = 3_000;
/** A control that leaves goes on answering requests for this long: a load balancer needs a moment to hear of it. */
export const LEAVING_MS = 2_000;
/** How long another control may take to answer a request that was passed on to it. */
export const FORWARD_TIMEOUT_MS = 10_000;
/** Rows of what has ended are kept for this long: a day to look into yesterday's trouble. */
export const ENDED_KEPT_MS = 86_400_000;
/** Rounds of forgetting in a row, of up to 1,000 rows each: more than all controls of a database write in a minute. */
export const FORGETTING_ROUNDS_MAX = 1_000;
/** How often they are looked for. */
export const RETENTION_INTERVAL_MS = 60_000;
/** Connections of one session (Vonage's older hard limit is 3,000). */
export const CONNECTIONS_PER_SESSION_MAX = 3_000;
/** Streams that one connection may publish. */
export const STREAMS_PER_CONNECTION_MAX = 16;
/** Demo sessions that are kept: the page makes one per name. */
export const DEMO_SESSIONS_MAX = 100;

/** Lifetime of a client token that the caller does not limit (Vonage: 24 h). */
export const TOKEN_LIFETIME_SECONDS = 86_400;
/** Longest lifetime of a client token (Vonage: 30 days). */
export const TOKEN_LIFETIME_SECONDS_MAX = 2_592_000;
/** A project's JWT that is valid for longer is refused: SDKs make one for each call, which lives 5 to 15 minutes. */
export const PROJECT_TOKEN_LIFETIME_SECONDS_MAX = 86_400;
/** Lifetime of the token that the demo page gets. */
export const DEMO_TOKEN_LIFETIME_SECONDS = 14_400;
/** Clocks of two hosts may differ by this much. */
export const CLOCK_TOLERANCE_SECONDS = 60;
/** Body of a REST request: the largest documented one is a signal of 8 kB. */
export const HTTP_BODY_BYTES_MAX = 65_536;
/** A request must have arrived within this. */
export const HTTP_REQUEST_TIMEOUT_MS = 10_000;
/** How often requests that take too long are looked for; Node's own 30 s would treble their time. */
export const HTTP_SLOW_CHECK_MS = 1_000;
/** REST requests of a project are counted over this: short, so that one that asked too often is soon let in again. */
export const PROJECT_RATE_WINDOW_MS = 10_000;
/** Failed authentications are counted over this. */
export const AUTH_FAILURES_WINDOW_MS = 60_000;
/** Projects, and addresses that failed, that are counted at a time; the one that asked least lately is forgotten. */
export const RATES_KEPT_MAX = 10_000;
/** How often the files of the certificate are looked at: whoever renews it does so days before it ends. */
export const TLS_FILES_LOOK_MS = 60_000;
/** How often silent sockets and nodes are looked for. */
export const TICK_INTERVAL_MS = 500;
/** Ticks this far apart: control stood still, and its silence about others says nothing. Below the patience with a node. */
export const CONTROL_STALL_MS = 2_000;
/** At a clean end clients get this long to answer the close of their sockets. */
export const SIGNALLING_CLOSE_MS = 1_000;
/** A clean end waits this long for moves: `godwit up` has to be down within 10 s. */
export const SHUTDOWN_MIGRATIONS_MS = 3_000;
/** What is known of a project is read anew after this: a secret that another control has revoked is refused soon. */
export const PROJECT_CACHE_MS = 5_000;
/** Projects kept in memory, and names of none: callers may ask for any. */
export const PROJECTS_CACHED_MAX = 1_000;
/** A receiver that has not answered by then is tried again later. */
export const CALLBACK_TIMEOUT_MS = 10_000;
/** How long a delivery is one control's own: it must not be begun by another while it is under way. */
export const CALLBACK_LEASE_MS = 30_000;
/** How often due callbacks are looked for; a change of the roster has them looked for at once. */
export const CALLBACK_POLL_MS = 500;
/** First wait after a failed delivery, doubled with each further one: most failures are a restart of the receiver. */
export const CALLBACK_RETRY_MS = 1_000;
/** Longest wait: whoever mends a receiver sees callbacks again within this. */
export const CALLBACK_RETRY_MS_MAX = 300_000;
/** A callback that could not be delivered for this long is given up, and kept to be looked at and sent again. */
export const CALLBACK_GIVE_UP_MS = 86_400_000;
/** Given up ones are kept for this long. */
export const CALLBACK_DEAD_KEPT_MS = 2_592_000_000;
/**
 * Callbacks that wait for one receiver: a day of one event a second, and some 100 MB. Beyond it the oldest are given up, so
 * that a receiver which comes back hears what is true now.
 */
export const CALLBACKS_WAITING_MAX = 100_000;
/** Given up ones that are kept of one receiver; beyond it the oldest are forgotten. A list shows the last 1,000. */
export const CALLBACKS_DEAD_MAX = 10_000;
/** How often these bounds are looked after: between two rounds a receiver may be beyond them by what happens meanwhile. */
export const CALLBACK_SWEEP_MS = 10_000;
/** Deliveries under way of one control. */
export const CALLBACKS_IN_HAND_MAX = 128;
/** Of these of one project: a receiver that answers nothing leaves room for the others'. */
export const CALLBACKS_PER_PROJECT_MAX = 16;
/** Characters of a receiver's URL. */
export const CALLBACK_URL_CHARS_MAX = 2_048;
/** Streams whose layout classes one request may set: as many as a list answers. */
export const STREAMS_LISTED_MAX = 1_000;
/** Layout classes of one stream in a request, and characters of each: together about as long as a token may say. */
export const LAYOUT_CLASSES_MAX = 16;
export const LAYOUT_CLASS_CHARS_MAX = 64;
/** Layout classes in a token, with the spaces between them (Vonage's SDKs refuse more). */
export const LAYOUT_CLASS_LIST_CHARS_MAX = 1_024;
/** Smallest RSA key of a project (RFC 7518 3.3). */
export const PROJECT_KEY_BITS_MIN = 2_048;
/** Characters of a public key in PEM form: one of 16,384 bits has 2,900. */
export const PROJECT_KEY_CHARS_MAX = 4_096;
/** Changes that wait for a database that is away: everybody of some large sessions leaves. */
export const UNWRITTEN_CHANGES_MAX = 10_000;
/** What a caller is told to wait before it asks again while the database is away: it is back in seconds, or in minutes. */
export const RETRY_AFTER_SECONDS = 2;
/** A control that ends tries this long to write what waits for the database. */
export const SHUTDOWN_FLUSH_MS = 1_000;
