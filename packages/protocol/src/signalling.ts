import { z } from 'zod';
import {
  CONNECTION_DATA_CHARS_MAX,
  EXCLUDED_STREAMS_MAX,
  SDP_CHARS_MAX,
  SESSION_ID_CHARS_MAX,
  SIGNAL_DATA_BYTES_MAX,
  SIGNAL_TYPE_CHARS_MAX,
  STREAM_NAME_CHARS_MAX,
} from './limits.js';
import { id64 } from './media.js';
import { gapReport, lossReport, moveOutcome, pathMethod } from './moves.js';

/** Path of the signalling WebSocket on the control plane. */
export const SIGNALLING_PATH = '/v1/signalling';

// ---------------------------------------------------------------- values

export const connectionInfo = z.object({
  connectionId: z.string(),
  creationTime: z.number(),
  data: z.string().max(CONNECTION_DATA_CHARS_MAX),
});
export type ConnectionInfo = z.infer<typeof connectionInfo>;

export const videoDimensions = z.object({
  width: z.number().int().min(0).max(16_384),
  height: z.number().int().min(0).max(16_384),
});

export const streamInfo = z.object({
  streamId: id64,
  connection: connectionInfo,
  creationTime: z.number(),
  name: z.string().max(STREAM_NAME_CHARS_MAX),
  initials: z.string().max(16).optional(),
  frameRate: z.number().min(0).max(240).optional(),
  hasAudio: z.boolean(),
  hasVideo: z.boolean(),
  hasCaptions: z.boolean(),
  videoDimensions,
  videoType: z.enum(['camera', 'screen', 'custom']).optional(),
});
export type StreamInfo = z.infer<typeof streamInfo>;

/** What a role allows; the names and the 0/1 values are those of Session.capabilities. */
export const capabilities = z.object({
  publish: z.union([z.literal(0), z.literal(1)]),
  subscribe: z.union([z.literal(0), z.literal(1)]),
  forceDisconnect: z.union([z.literal(0), z.literal(1)]),
  forceUnpublish: z.union([z.literal(0), z.literal(1)]),
  forceMute: z.union([z.literal(0), z.literal(1)]),
});
export type Capabilities = z.infer<typeof capabilities>;

// ---------------------------------------------------------------- requests (client to control)

const mid = z.string().min(1).max(32);

/** Ties the m-lines of an offer to the streams that they send or receive. */
const streamMids = z.object({ streamId: id64, audioMid: mid.optional(), videoMid: mid.optional() });
export type StreamMids = z.infer<typeof streamMids>;

const requests = {
  /** First message of a fresh client. */
  connect: z.object({
    type: z.literal('connect'),
    apiKey: z.string().max(64),
    sessionId: z.string().max(SESSION_ID_CHARS_MAX),
    token: z.string().max(8_192),
    sdkVersion: z.string().max(64),
    sessionMigration: z.boolean(),
    pathMethod,
    connectionEventsSuppressed: z.boolean().optional(),
  }),
  /** First message of a client whose socket broke. Answer: ConnectResult with `resumed`, missed events follow. */
  resume: z.object({
    type: z.literal('resume'),
    connectionId: z.string().max(64),
    resumeToken: z.string().max(256),
    /** `seq` of the last event that arrived. */
    lastSeq: z.number().int().min(0),
    /** Highest `number` of a signal that arrived, or ConnectResult.signals: what came after it is told again. */
    lastSignal: z.number().int().min(0).optional(),
  }),
  ping: z.object({ type: z.literal('ping') }),
  /** Reserves a stream id; others hear of it once the transport carries it. */
  createStream: z.object({
    type: z.literal('createStream'),
    name: z.string().max(STREAM_NAME_CHARS_MAX),
    initials: z.string().max(16).optional(),
    frameRate: z.number().min(0).max(240).optional(),
    hasAudio: z.boolean(),
    hasVideo: z.boolean(),
    videoDimensions,
    videoType: z.enum(['camera', 'screen', 'custom']).optional(),
  }),
  destroyStream: z.object({ type: z.literal('destroyStream'), streamId: id64 }),
  updateStream: z.object({
    type: z.literal('updateStream'),
    streamId: id64,
    hasAudio: z.boolean().optional(),
    hasVideo: z.boolean().optional(),
    videoDimensions: videoDimensions.optional(),
  }),
  /** The client offers, always with everything it holds; m-lines named nowhere are inactive. Answer: OfferResult. */
  offer: z.object({
    type: z.literal('offer'),
    sdp: z.string().max(SDP_CHARS_MAX),
    publications: z.array(streamMids).max(64),
    subscriptions: z.array(streamMids).max(64),
    /** First offer of another peer connection: the transport so far is given up, its streams go on with this one. */
    newTransport: z.boolean().optional(),
  }),
  /** What of a subscribed stream is wanted now; nothing is renegotiated. */
  updateSubscription: z.object({
    type: z.literal('updateSubscription'),
    streamId: id64,
    audio: z.boolean().optional(),
    video: z.boolean().optional(),
  }),
  /** Answer to a restartOffer event. */
  restartAnswer: z.object({
    type: z.literal('restartAnswer'),
    restartId: id64,
    sdp: z.string().max(SDP_CHARS_MAX),
  }),
  /**
   * The client's path died (network change, dead node): control offers an ICE restart, or says `transportLost` once the
   * node that holds the transport counts as dead. Answered when it is known which.
   */
  requestRestart: z.object({ type: z.literal('requestRestart') }),
  signal: z.object({
    type: z.literal('signal'),
    signalType: z.string().max(SIGNAL_TYPE_CHARS_MAX).optional(),
    data: z.string().max(SIGNAL_DATA_BYTES_MAX),
    to: z.string().max(64).optional(),
  }),
  /** Moderators only, as the four after it: ends the connection. */
  forceDisconnect: z.object({ type: z.literal('forceDisconnect'), connectionId: z.string().max(64) }),
  forceUnpublish: z.object({ type: z.literal('forceUnpublish'), streamId: id64 }),
  /** Asks the publisher of the stream to mute its sound; it may unmute itself. */
  forceMuteStream: z.object({ type: z.literal('forceMuteStream'), streamId: id64 }),
  /** The same for every stream but those; what is published later starts muted, until disableForceMute. */
  forceMuteAll: z.object({
    type: z.literal('forceMuteAll'),
    excludedStreamIds: z.array(id64).max(EXCLUDED_STREAMS_MAX),
  }),
  disableForceMute: z.object({ type: z.literal('disableForceMute') }),
  gapReport: z.object({ type: z.literal('gapReport'), report: gapReport }),
  lossReport: z.object({ type: z.literal('lossReport'), report: lossReport }),
  disconnect: z.object({ type: z.literal('disconnect') }),
};

const withId = <T extends z.ZodRawShape>(schema: z.ZodObject<T>) =>
  schema.extend({ id: z.number().int().min(0) });

/**
 * Every message that a client may send. Unknown fields are dropped, unknown types are refused.
 * `id` numbers the requests of one connection, across its sockets: after a resume the client repeats under the same id
 * what it has no answer to, and control answers such a repeat without doing it again. Pings may share one id.
 */
export const clientRequest = z.discriminatedUnion('type', [
  withId(requests.connect),
  withId(requests.resume),
  withId(requests.ping),
  withId(requests.createStream),
  withId(requests.destroyStream),
  withId(requests.updateStream),
  withId(requests.offer),
  withId(requests.updateSubscription),
  withId(requests.restartAnswer),
  withId(requests.requestRestart),
  withId(requests.signal),
  withId(requests.forceDisconnect),
  withId(requests.forceUnpublish),
  withId(requests.forceMuteStream),
  withId(requests.forceMuteAll),
  withId(requests.disableForceMute),
  withId(requests.gapReport),
  withId(requests.lossReport),
  withId(requests.disconnect),
]);
export type ClientRequest = z.infer<typeof clientRequest>;
export type ClientRequestType = ClientRequest['type'];

// ---------------------------------------------------------------- answers

/** Answer to connect and resume. */
export interface ConnectResult {
  connection: ConnectionInfo;
  /** Secret of this connection; needed to resume. */
  resumeToken: string;
  resumed: boolean;
  capabilities: Capabilities;
  connections: ConnectionInfo[];
  streams: StreamInfo[];
  /** What is published from now on starts muted (forceMuteAll). */
  muteForced: boolean;
  /** `seq` of the last event already contained in this answer. */
  seq: number;
  /** `number` of the session's last signal. */
  signals: number;
}
export interface CreateStreamResult {
  streamId: string;
  creationTime: number;
}
export interface OfferResult {
  sdp: string;
  /** Streams whose m-line was refused, each with the error's name. */
  refused: { streamId: string; mid: string; name: string; message: string }[];
}
/** Results by request type; requests not named here answer `{}`. */
export interface ClientResults {
  connect: ConnectResult;
  resume: ConnectResult;
  createStream: CreateStreamResult;
  offer: OfferResult;
}
export type ClientResult<T extends ClientRequestType> = T extends keyof ClientResults
  ? ClientResults[T]
  : Record<string, never>;

export interface SignallingError {
  /** Numeric code as OpenTok.js has it (1004, 1005, …) where there is one. */
  code: number;
  /** OT_AUTHENTICATION_ERROR, … */
  name: string;
  message: string;
}
export type SignallingReply =
  | { replyTo: number; ok: true; result: unknown }
  | { replyTo: number | null; ok: false; error: SignallingError };

// ---------------------------------------------------------------- events (control to client)

const candidateInit = z.object({ candidate: z.string(), sdpMid: z.string(), usernameFragment: z.string() });

export const signallingEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('connectionCreated'), connection: connectionInfo }),
  z.object({ event: z.literal('connectionDestroyed'), connection: connectionInfo, reason: z.string() }),
  z.object({ event: z.literal('streamCreated'), stream: streamInfo }),
  z.object({ event: z.literal('streamDestroyed'), streamId: id64, reason: z.string() }),
  z.object({
    event: z.literal('streamPropertyChanged'),
    streamId: id64,
    changedProperty: z.enum(['hasAudio', 'hasVideo', 'hasCaptions', 'videoDimensions']),
    oldValue: z.unknown(),
    newValue: z.unknown(),
  }),
  /** To the publisher of the stream: a moderator, or the server, has muted its sound. */
  z.object({ event: z.literal('streamMuteForced'), streamId: id64 }),
  /** To everybody: `active` as in ConnectResult.muteForced. */
  z.object({ event: z.literal('muteForced'), active: z.boolean() }),
  z.object({
    event: z.literal('signal'),
    signalType: z.string().optional(),
    data: z.string(),
    /** Absent when the server sent it (REST). */
    from: connectionInfo.optional(),
    /** Grows with each signal of the session. Absent while the database is away: then nobody can tell it again. */
    number: z.number().int().positive().optional(),
  }),
  /** Use this address; media follows when the checks have passed. */
  z.object({ event: z.literal('moveCandidate'), moveId: id64, candidates: z.array(candidateInit) }),
  /**
   * Apply as an offer, answer with restartAnswer. `moveId` is absent when no move caused it.
   * The client rolls its own unanswered offer back for it and makes it again after restartAnswer, with other mids:
   * control answers the old one with any error and does not apply it.
   */
  z.object({
    event: z.literal('restartOffer'),
    restartId: id64,
    moveId: id64.optional(),
    sdp: z.string(),
  }),
  z.object({ event: z.literal('moveEnded'), moveId: id64, outcome: moveOutcome, nodeId: z.string() }),
  /** The node of the transport does not answer control. A client to which nothing comes any more asks for a restart. */
  z.object({ event: z.literal('transportSuspect') }),
  /** The transport is gone with its node: the client makes another one (`offer` with `newTransport`). */
  z.object({ event: z.literal('transportLost') }),
  /** The session ended for this client; sessionDisconnected follows. */
  z.object({ event: z.literal('sessionDestroyed'), reason: z.string() }),
  z.object({ event: z.literal('sessionDisconnected'), reason: z.string() }),
]);
export type SignallingEvent = z.infer<typeof signallingEvent>;
/** On the wire each event carries a number that grows by one per client. */
export type SequencedEvent = SignallingEvent & { seq: number };
/** Everything that control sends to a client. */
export type ServerMessage = SignallingReply | SequencedEvent;
