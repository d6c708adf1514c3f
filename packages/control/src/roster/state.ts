import type {
  Capabilities,
  ConnectionInfo,
  DtlsFingerprint,
  IceCredentials,
  PathMethod,
  PoolAddress,
  RemoteParameters,
  StreamInfo,
  TransportMedia,
} from '@godwit/protocol';
import type { KeptSession, SessionRecord } from '@godwit/storage';
import { deferred, Mutex, OneTimeEvent, type Deferred } from '../deadline.js';
import type { Wanted } from '../negotiation/media.js';
import type { NegotiatedState } from '../negotiation/state.js';
import { AnsweredRequests } from '../signalling/answered-requests.js';
import type { Role } from '../tokens/roles.js';
import { ClientChannel } from './client-channel.js';
import { SessionSignals } from './session-signals.js';

/** An address that the client was told, with the priority that it got. */
export interface ToldCandidate extends PoolAddress {
  readonly priority: number;
}

/** Everything about a transport that is kept in its row: no SRTP key is among it. */
export interface TransportDescription {
  readonly localSsrc: number;
  readonly generation: number;
  readonly ice: IceCredentials;
  readonly fingerprint: DtlsFingerprint;
  readonly remote: RemoteParameters;
  /** True when it took the place of a transport that was lost: its streams have other feeds then (`feedIdOf`). */
  readonly isReplacement: boolean;
  /** Told in this ICE generation, oldest first. */
  readonly candidates: readonly ToldCandidate[];
  /** Hops in this ICE generation: each raises the priority. */
  readonly hops: number;
  readonly negotiated: NegotiatedState;
}

/** The one WebRTC transport of a connection. Changed only while its connection's lock is held. */
export interface TransportState {
  readonly transportId: string;
  ownerNodeId: string;
  epoch: number;
  isConnected: boolean;
  readonly connected: Deferred<void>;
  /**
   * Who may take it over, and the epoch granted for it, while a move runs: routes lead there already. `returnEpoch` is
   * the present owner's, should it take the transport back.
   */
  upcomingOwner: { readonly nodeId: string; readonly epoch: number; readonly returnEpoch: number } | null;
  /** True once its node has reported it, or made it, in this life of control. */
  claimed: boolean;
  /** What its owner last took: whoever takes the transport over goes on with just this. Null: nothing in this life of control. */
  media: TransportMedia | null;
  /** True once its client has been asked for another one. What it published stays known until then. */
  isLost: boolean;
  description: TransportDescription;
}

/** A published or about to be published stream. */
export interface StreamState {
  readonly streamId: string;
  readonly connection: ConnectionState;
  info: StreamInfo;
  published: boolean;
  /** The ingress of its node has been configured with it. */
  configured: boolean;
  /** For the layouts of archives and broadcasts. */
  layoutClasses: readonly string[];
}

/** A client in a session. */
export interface ConnectionState {
  readonly connectionId: string;
  readonly session: SessionState;
  readonly info: ConnectionInfo;
  readonly role: Role;
  readonly capabilities: Capabilities;
  readonly sessionMigration: boolean;
  readonly pathMethod: PathMethod;
  readonly eventsSuppressed: boolean;
  /** Of its streams, to begin with: as its token says. */
  readonly layoutClasses: readonly string[];
  readonly resumeTokenHash: string;
  readonly channel: ClientChannel;
  readonly requests: AnsweredRequests;
  /** Negotiations and moves exclude each other and queue. */
  readonly lock: Mutex;
  readonly wanted: Map<string, Wanted>;
  transport: TransportState | null;
  ended: boolean;
  /** It ends: nobody need wait for its media any more. */
  readonly gone: OneTimeEvent;
  /** A restart offer that waits for its answer. */
  pendingRestart: { readonly restartId: string; readonly answer: Deferred<string> } | null;
  /** The last restart offer when control stopped waiting for its answer. */
  lapsedRestartId: string | null;
  /** Restart offers sent so far: an offer from before one is void. */
  restartsSent: number;
  graceTimer: NodeJS.Timeout | null;
  /** Runs while a lost transport waits for another one. */
  rejoinTimer: NodeJS.Timeout | null;
}

/** A session that this control keeps. */
export interface SessionState {
  readonly sessionId: string;
  /** Grows with each control that takes the session; nodes refuse what an earlier one says. */
  term: number;
  /** One at a time raises the term. */
  readonly termLock: Mutex;
  record: SessionRecord;
  /** When somebody last asked for it; wall clock. */
  usedAtMs: number;
  readonly signals: SessionSignals;
  readonly connections: Map<string, ConnectionState>;
  readonly streams: Map<string, StreamState>;
  /** Routes are computed and sent in one order. */
  readonly routesLock: Mutex;
  /** What each node was last told, as text, by stream. */
  readonly routesSent: Map<string, Map<string, string>>;
}

export function newSessionState({ record, term, signals }: KeptSession, nowMs: number): SessionState {
  return {
    sessionId: record.sessionId,
    term,
    termLock: new Mutex(),
    record,
    usedAtMs: nowMs,
    signals: new SessionSignals(signals),
    connections: new Map(),
    streams: new Map(),
    routesLock: new Mutex(),
    routesSent: new Map(),
  };
}

export type NewConnection = Pick<
  ConnectionState,
  | 'connectionId'
  | 'session'
  | 'info'
  | 'role'
  | 'capabilities'
  | 'sessionMigration'
  | 'pathMethod'
  | 'eventsSuppressed'
  | 'layoutClasses'
  | 'resumeTokenHash'
>;

export function newConnectionState(fields: NewConnection): ConnectionState {
  return {
    ...fields,
    channel: new ClientChannel(),
    requests: new AnsweredRequests(),
    lock: new Mutex(),
    wanted: new Map(),
    transport: null,
    ended: false,
    gone: new OneTimeEvent(),
    pendingRestart: null,
    lapsedRestartId: null,
    restartsSent: 0,
    graceTimer: null,
    rejoinTimer: null,
  };
}

export function newTransportState(fields: {
  transportId: string;
  ownerNodeId: string;
  epoch: number;
  isConnected: boolean;
  claimed: boolean;
  upcomingOwner?: TransportState['upcomingOwner'];
  description: TransportDescription;
}): TransportState {
  const connected = deferred<void>();
  if (fields.isConnected) connected.resolve();
  return { upcomingOwner: null, media: null, isLost: false, ...fields, connected };
}

/** The node owns it, or may take it over by a move that has not ended. */
export function isBoundTo({ ownerNodeId, upcomingOwner }: TransportState, nodeId: string): boolean {
  return ownerNodeId === nodeId || upcomingOwner?.nodeId === nodeId;
}

/** How an address is named in lists of used addresses; nodes name them alike. */
export function addressKey(address: PoolAddress): string {
  return address.family === 'IPv6'
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}
