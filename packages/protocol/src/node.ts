import { z } from 'zod';
import {
  dtlsFingerprint,
  dtlsSetup,
  egressRule,
  iceCredentials,
  id64,
  ingressRule,
  poolAddress,
  streamRoute,
  uint16,
  uint32,
} from './media.js';
import { REPLICAS_MAX } from './limits.js';
import { moveFailure, moveMeasures, moveOutcome, pathMethod } from './moves.js';

/** Path of the WebSocket that a node opens to control. */
export const NODE_PATH = '/v1/node';

const nodeId = z.string().regex(/^[a-z0-9-]{1,64}$/);
const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/_-]*={0,2}$/)
  .max(4_096);
const epoch = uint32;

// ---------------------------------------------------------------- registration

/** First message on the socket, from control. */
export const nodeChallenge = z.object({ type: z.literal('challenge'), nonce: base64 });

/** A transport that a node owns. */
const reportedTransport = z.object({
  transportId: id64,
  epoch,
  /** Its handshake is over, should `transportConnected` be lost. Absent from nodes of before this field, as the next. */
  connected: z.boolean().optional(),
  sessionId: z.string().optional(),
});
export type ReportedTransport = z.infer<typeof reportedTransport>;

/** What a node says of itself; the join key never crosses the wire. */
export const nodeRegistration = z.object({
  type: z.literal('register'),
  /** Absent at the very first registration: control gives one. */
  nodeId: nodeId.optional(),
  /** Ed25519, SPKI DER. Pinned by control at the first registration. */
  identityKey: base64,
  /** X25519 of this process's life, raw 32 bytes: links between nodes derive their keys from it. */
  linkKey: base64,
  /** Ed25519 over "godwit-link-key" || bootId || linkKey, so that peers can check what control tells them. */
  linkKeySignature: base64,
  /** Random per process start. */
  bootId: id64,
  /** HMAC-SHA256(joinKey, nonce || identityKey || linkKey). */
  joinProof: base64,
  /** Ed25519 over nonce || joinProof. */
  signature: base64,
  version: z.string().max(64),
  /** Schemas of a portable state that this node reads and writes. */
  stateSchemas: z.array(z.number().int().positive()).min(1).max(8),
  /** Where other nodes reach its links. */
  linkAddress: poolAddress,
  addresses: z.array(poolAddress).min(1).max(1_024),
  opsUrl: z.string().max(256),
  pid: z.number().int().positive(),
  /** Transports it still runs (after control or the socket went away). */
  transports: z.array(reportedTransport).max(65_536),
});
export type NodeRegistration = z.infer<typeof nodeRegistration>;

/** A control process that a node is to hold a socket to: each keeps sessions of its own. */
export const controlReplica = z.object({ replicaId: z.string().max(64), url: z.string().max(2_048) });
export type ControlReplica = z.infer<typeof controlReplica>;
const controlReplicas = z.array(controlReplica).max(REPLICAS_MAX);

export const nodeWelcome = z.object({
  type: z.literal('welcome'),
  nodeId,
  /** Who answers here. Absent from a control of before this field, as the next. */
  replicaId: z.string().max(64).default(''),
  /** Every control, this one among them. */
  replicas: controlReplicas.default([]),
});
export type NodeWelcome = z.infer<typeof nodeWelcome>;

/** One other node, as control tells it. */
export const nodePeer = z.object({
  nodeId,
  identityKey: base64,
  linkKey: base64,
  linkKeySignature: base64,
  bootId: id64,
  linkAddress: poolAddress,
});
export type NodePeer = z.infer<typeof nodePeer>;

// ---------------------------------------------------------------- commands (control to node)

/** Media state of one transport: idempotent, replaced as a whole. */
export const transportMedia = z.object({
  generation: uint32,
  ingress: z.array(ingressRule).max(256),
  egress: z.array(egressRule).max(256),
});
export type TransportMedia = z.infer<typeof transportMedia>;

const remoteParameters = z.object({
  ice: iceCredentials,
  fingerprint: dtlsFingerprint,
  setup: dtlsSetup,
});
export type RemoteParameters = z.infer<typeof remoteParameters>;

const commands = {
  /** The controls have changed. */
  setReplicas: z.object({ type: z.literal('setReplicas'), replicas: controlReplicas }),
  /** To a node that registered before its session's control took over: which of these it owns. */
  reportTransports: z.object({
    type: z.literal('reportTransports'),
    transportIds: z.array(id64).max(1_024),
  }),
  setPeers: z.object({ type: z.literal('setPeers'), peers: z.array(nodePeer).max(1_024) }),
  /** Upserts; a route that names this node nowhere removes the stream here. */
  setStreams: z.object({ type: z.literal('setStreams'), streams: z.array(streamRoute).max(1_024) }),
  createTransport: z.object({
    type: z.literal('createTransport'),
    transportId: id64,
    sessionId: z.string(),
    epoch,
    remote: remoteParameters,
    /** Our own SSRC for RTCP on this transport; it travels with it. */
    localSsrc: uint32,
  }),
  configureTransport: z.object({
    type: z.literal('configureTransport'),
    transportId: id64,
    epoch,
    media: transportMedia,
  }),
  /** New credentials and a fresh address on the same node. */
  restartIce: z.object({
    type: z.literal('restartIce'),
    transportId: id64,
    epoch,
    usedAddresses: z.array(z.string()).max(256),
  }),
  /** The client's credentials after a restart; goes to every node that answers its checks. */
  setRemoteIce: z.object({
    type: z.literal('setRemoteIce'),
    transportId: id64,
    epoch,
    ice: iceCredentials,
  }),
  closeTransport: z.object({
    type: z.literal('closeTransport'),
    transportId: id64,
    epoch,
    reason: z.string().max(64),
  }),
  /** To the target. Answers once relays have filled its caches; holds no SRTP key. */
  prepareMove: z.object({
    type: z.literal('prepareMove'),
    moveId: id64,
    transportId: id64,
    sessionId: z.string(),
    /** Epoch that the target will own. */
    epoch,
    sourceNodeId: nodeId,
    method: pathMethod,
    /** Current credentials of the transport (ours); with `restart` the target makes new ones. */
    ice: iceCredentials,
    remoteIce: iceCredentials,
    usedAddresses: z.array(z.string()).max(256),
    localSsrc: uint32,
    media: transportMedia,
    streams: z.array(streamRoute).max(1_024),
  }),
  /** To the source, after prepareMove answered. Runs up to the proof, then transfers unless it is a rehearsal. */
  startMove: z.object({
    type: z.literal('startMove'),
    moveId: id64,
    transportId: id64,
    epoch,
    /** Reserved for the source, should it take the transport back. */
    returnEpoch: epoch,
    targetNodeId: nodeId,
    /** X25519 of this move, raw: TRANSFER is sealed to it. */
    sealKey: base64,
    /** Set when the path method is restart: the source answers checks with them too. */
    restartIce: iceCredentials.optional(),
    rehearsal: z.boolean(),
    stateSchema: z.number().int().positive(),
  }),
  /** To the source of a proven rehearsal: bring the client's path back by a fresh address of yours, or by a restart. */
  returnPath: z.object({
    type: z.literal('returnPath'),
    moveId: id64,
    transportId: id64,
    /** Default: candidate. */
    method: pathMethod.optional(),
    usedAddresses: z.array(z.string()).max(256),
  }),
  /** To source or target. Refused with `too-late` once TRANSFER has left. */
  cancelMove: z.object({
    type: z.literal('cancelMove'),
    moveId: id64,
    transportId: id64,
    /** Control's word: a source that has sent TRANSFER takes the transport back (HANDOVER 2.6). */
    force: z.boolean().optional(),
  }),
  /**
   * Control's answer to releaseWanted: the other node of the move has let go, or counts as dead. The asker owns the
   * transport without a bound, as `epoch`: its own when the other node itself let go, else a new one.
   */
  releaseMove: z.object({ type: z.literal('releaseMove'), moveId: id64, transportId: id64, epoch }),
  /** To an owner that was away when control made it a new epoch: it owns as `raisedEpoch` from now on. */
  raiseEpoch: z.object({ type: z.literal('raiseEpoch'), transportId: id64, epoch, raisedEpoch: epoch }),
  /** What the other node of a move said on the link that does not carry it: control carries it instead. */
  tellMove: z.object({
    type: z.literal('tellMove'),
    moveId: id64,
    transportId: id64,
    word: z.discriminatedUnion('kind', [
      /** To a source: the target owns the transport. */
      z.object({ kind: z.literal('accepted') }),
      /** To a target: the source has taken the transport back, as `ownerEpoch`. */
      z.object({ kind: z.literal('aborted'), ownerEpoch: epoch }),
    ]),
  }),
};

/**
 * On whose behalf: the session, and the term of the control that keeps it. A node refuses what an earlier term says of a
 * session that a later one has spoken for (`superseded`).
 */
const sessionTerm = z.object({ sessionId: z.string(), term: z.number().int().positive() });
export type SessionTerm = z.infer<typeof sessionTerm>;

const withId = <T extends z.ZodRawShape>(schema: z.ZodObject<T>) =>
  schema.extend({ id: z.number().int().min(0), on: sessionTerm.optional() });

export const nodeCommand = z.discriminatedUnion('type', [
  withId(commands.setReplicas),
  withId(commands.reportTransports),
  withId(commands.setPeers),
  withId(commands.setStreams),
  withId(commands.createTransport),
  withId(commands.configureTransport),
  withId(commands.restartIce),
  withId(commands.setRemoteIce),
  withId(commands.closeTransport),
  withId(commands.prepareMove),
  withId(commands.startMove),
  withId(commands.returnPath),
  withId(commands.cancelMove),
  withId(commands.releaseMove),
  withId(commands.raiseEpoch),
  withId(commands.tellMove),
]);
export type NodeCommand = z.infer<typeof nodeCommand>;
export type NodeCommandType = NodeCommand['type'];

/** Answers by command type; commands not named here answer `{}`. */
export const nodeResults = {
  reportTransports: z.object({ transports: z.array(reportedTransport) }),
  createTransport: z.object({
    ice: iceCredentials,
    fingerprint: dtlsFingerprint,
    addresses: z.array(poolAddress).min(1),
  }),
  restartIce: z.object({ ice: iceCredentials, addresses: z.array(poolAddress) }),
  prepareMove: z.object({
    addresses: z.array(poolAddress).min(1),
    sealKey: base64,
    /** With method restart only. */
    restartIce: iceCredentials.optional(),
  }),
  /** The epoch in which the node owns the transport now that it has forgotten the move; absent when it does not own it. */
  cancelMove: z.object({ epoch: epoch.optional() }),
  returnPath: z.object({
    addresses: z.array(poolAddress).min(1),
    /** With method restart only. */
    restartIce: iceCredentials.optional(),
  }),
};
export type NodeResults = { [K in keyof typeof nodeResults]: z.infer<(typeof nodeResults)[K]> };
export type NodeResult<T extends NodeCommandType> = T extends keyof NodeResults
  ? NodeResults[T]
  : Record<string, never>;

/** Why a node refused a command. `moved`: a newer epoch lives elsewhere, ask control's rows again. */
export const nodeErrorCode = z.enum([
  'moved',
  'superseded',
  'unknown-transport',
  'unknown-move',
  'unknown-node',
  'no-fresh-address',
  'no-common-schema',
  'relays-not-ready',
  'not-connected',
  'busy',
  'too-late',
  'stopping',
  'invalid',
  'internal',
]);
export type NodeErrorCode = z.infer<typeof nodeErrorCode>;

// ---------------------------------------------------------------- events (node to control)

export const nodeEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('heartbeat'),
    transports: z.number().int().nonnegative(),
    /** 0 to 1: share of one core's time used since the last beat. */
    load: z.number().min(0),
    stopping: z.boolean(),
  }),
  /** Authenticated SRTP or SRTCP has come: the handshake is over. */
  z.object({ event: z.literal('transportConnected'), transportId: id64, epoch }),
  z.object({ event: z.literal('transportClosed'), transportId: id64, epoch, reason: z.string() }),
  z.object({ event: z.literal('moveProven'), moveId: id64, transportId: id64, measures: moveMeasures }),
  /** A rehearsal's path is back at the source. */
  z.object({ event: z.literal('pathReturned'), moveId: id64, transportId: id64 }),
  z.object({
    event: z.literal('moveEnded'),
    moveId: id64,
    transportId: id64,
    outcome: moveOutcome,
    /** Who owns the transport now, as far as the reporting node knows. */
    ownerNodeId: nodeId,
    /** Of that owner; absent when the reporting node does not know it. */
    epoch: epoch.optional(),
    failure: moveFailure.optional(),
    measures: moveMeasures,
  }),
  /**
   * The reporting node owns a transport after a move, but within a range of indices that only the other node of that move
   * can lift, and does not hear from it. Repeated while it is so.
   */
  z.object({
    event: z.literal('releaseWanted'),
    moveId: id64,
    transportId: id64,
    /** What the reporting node is in that move, and the epoch in which it owns the transport. */
    role: z.enum(['source', 'target']),
    epoch,
    peerNodeId: nodeId,
  }),
  /**
   * The reporting node has sent its transport's state and hears nothing from the target, while it hears control: only
   * control's word lets it take the transport back, or hand it over (HANDOVER 2.6). Repeated while it is so.
   */
  z.object({ event: z.literal('answerWanted'), moveId: id64, transportId: id64 }),
  /** The node is asked to stop: please move what it holds. */
  z.object({ event: z.literal('stopping') }),
]);
export type NodeEvent = z.infer<typeof nodeEvent>;

/** Everything a node sends after registration. */
export const nodeMessage = z.union([
  nodeEvent,
  z.object({ replyTo: z.number().int(), ok: z.literal(true), result: z.unknown() }),
  z.object({
    replyTo: z.number().int(),
    ok: z.literal(false),
    error: z.object({ code: nodeErrorCode, message: z.string() }),
  }),
]);

/** WebSocket close codes between node and control. */
export const NODE_CLOSE = { badProof: 4401, replaced: 4409, malformed: 4400, tooMany: 4429 } as const;
export { uint16 as portNumber };
