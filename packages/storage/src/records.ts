/** The roster as values. Times are milliseconds since 1970; JSON columns are plain data. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface ProjectRecord {
  readonly apiKey: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** Sealed by control; null: callbacks are signed with a secret of the project. */
  readonly signatureSecret: string | null;
}

/** With what a project signs: a secret (HS256, T1), or a key pair (RS256) of which control knows the public half. */
export interface ProjectCredential {
  readonly credentialId: string;
  readonly kind: 'secret' | 'key';
  /** A secret as control has sealed it, or the public key: SPKI, PEM. */
  readonly material: string;
  readonly createdAtMs: number;
}

/** A project with its valid credentials, oldest first. */
export interface ProjectDetails extends ProjectRecord {
  readonly credentials: readonly ProjectCredential[];
}

/** An address that wants to hear of events of a project. */
export interface CallbackReceiver {
  readonly callbackId: string;
  readonly apiKey: string;
  /** `session`; others come with the services. */
  readonly group: string;
  /** The name of one event, or `all`. */
  readonly event: string;
  readonly url: string;
  readonly createdAtMs: number;
}

/** Something that happened in a session and is told to the receivers of its project. */
export interface CallbackEvent {
  /** The same for every attempt and every receiver. */
  readonly eventId: string;
  readonly group: string;
  readonly event: string;
  readonly body: Json;
  readonly createdAtMs: number;
}

/** Kind of the jobs that deliver callbacks. Their payload is a CallbackDelivery, their subject the receiver's id. */
export const CALLBACK_JOB = 'callback';

/** What is to be done, at least once, not before its time. */
export interface Job {
  readonly jobId: string;
  readonly kind: string;
  /** Jobs of one lane run one after the other. */
  readonly lane: string;
  /** Who shares a bound: the project of a callback. */
  readonly group: string;
  /** What it is about: with that it is removed. */
  readonly subject: string;
  readonly payload: Json;
  readonly createdAtMs: number;
  readonly runAtMs: number;
  /** How often it was begun. */
  readonly attempts: number;
  /** When it was given up. */
  readonly deadAtMs: number | null;
  readonly lastError: string | null;
}

/** A job that one worker has to itself until its lease ends. */
export interface LeasedJob extends Job {
  readonly leaseId: string;
}

/** Who changed what, and when. */
export interface AuditEntry {
  readonly atMs: number;
  /** `admin`, or a project's key. */
  readonly actor: string;
  /** `project.created`, … */
  readonly action: string;
  readonly subject: string;
  /** Never a secret. */
  readonly detail: Json;
}

/** A media node as control remembers it; its identity key is pinned to its id. */
export interface NodeRecord {
  readonly nodeId: string;
  /** Ed25519, SPKI DER, base64. */
  readonly identityKey: string;
  readonly bootId: string;
  readonly version: string;
  readonly registeredAtMs: number;
  readonly lastSeenAtMs: number;
}

/** When a node is to end. Its place is kept beside it, so that the node's next process in that place is known again. */
export interface PlannedEnd {
  /** Another time is another plan. */
  readonly planId: string;
  readonly nodeId: string;
  readonly identityKey: string;
  /** Where clients reach it, `address:port`. */
  readonly addresses: readonly string[];
  readonly endsAtMs: number;
  /** For people to read; may be empty. */
  readonly reason: string;
  readonly plannedAtMs: number;
}

export interface SessionRecord {
  readonly sessionId: string;
  readonly apiKey: string;
  readonly location: string;
  /** Made by the demo page: its endpoints may touch it without a token. */
  readonly demo: boolean;
  /** Name under which the demo page joins it again. */
  readonly demoName: string | null;
  /** Node on which further connections start. */
  readonly homeNodeId: string | null;
  readonly createdAtMs: number;
  readonly lastMigrationEndedAtMs: number | null;
  /** What is published in it starts muted. */
  readonly muteForced: boolean;
}

/** A control process: one of those that share a database. */
export interface ReplicaRecord {
  /** Random per start. */
  readonly replicaId: string;
  /** Where the other controls and the nodes reach it; null until it listens. */
  readonly url: string | null;
  readonly startedAtMs: number;
}

/** A session and the replica that keeps it: nobody else changes its roster or commands nodes for it. */
export interface KeptSession {
  readonly record: SessionRecord;
  /** Grows with each replica that takes the session: what an earlier keeper says is told apart by it. */
  readonly term: number;
  /** Number of its last signal. */
  readonly signals: number;
}

/** A signal of a session, in the order of its numbers. */
export interface SignalRecord {
  readonly number: number;
  /** Null: everybody. */
  readonly toConnectionId: string | null;
  /** What the receivers are told. */
  readonly event: Json;
  readonly createdAtMs: number;
}

/** A signal that has no number yet. */
export interface NewSignal extends Omit<SignalRecord, 'number'> {
  /** Null: the server. */
  readonly fromConnectionId: string | null;
  /** The sender's own number of it: the same signal is written once, however often it is asked for. Null: unknown. */
  readonly requestId: number | null;
}

/** What is known of a session when it is made; with a demo name it is one of the demo page. */
export interface NewSession {
  readonly sessionId: string;
  readonly apiKey: string;
  readonly createdAtMs: number;
  /** Default: none. */
  readonly location?: string;
  readonly demoName?: string;
}

/** A session as it begins: on no node, never moved, not muted. */
export function newSessionRecord({
  sessionId,
  apiKey,
  createdAtMs,
  location = '',
  demoName,
}: NewSession): SessionRecord {
  return {
    sessionId,
    apiKey,
    location,
    demo: demoName !== undefined,
    demoName: demoName ?? null,
    homeNodeId: null,
    createdAtMs,
    lastMigrationEndedAtMs: null,
    muteForced: false,
  };
}

export interface ConnectionRecord {
  readonly connectionId: string;
  readonly sessionId: string;
  readonly data: string;
  readonly role: string;
  readonly sessionMigration: boolean;
  readonly pathMethod: string;
  readonly eventsSuppressed: boolean;
  /** Of its streams, to begin with; words without spaces. */
  readonly layoutClasses: readonly string[];
  /** SHA-256 of the resume token, hex: the token itself is never stored. */
  readonly resumeTokenHash: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  readonly endReason: string | null;
}

export interface StreamRecord {
  readonly streamId: string;
  readonly sessionId: string;
  readonly connectionId: string;
  readonly info: Json;
  /** For the layouts of archives and broadcasts; words without spaces. */
  readonly layoutClasses: readonly string[];
  readonly createdAtMs: number;
  /** When the others were told of it. */
  readonly publishedAtMs: number | null;
  readonly endedAtMs: number | null;
}

/** A granted move: each of its two epochs may be used by one node only. */
export interface MoveIntent {
  readonly moveId: string;
  readonly sourceNodeId: string;
  readonly targetNodeId: string;
  /** Epoch of the target, should it become the owner. */
  readonly targetEpoch: number;
  /** Epoch of the source, should it take the transport back. */
  readonly returnEpoch: number;
}

export interface TransportRecord {
  readonly transportId: string;
  readonly sessionId: string;
  readonly connectionId: string;
  readonly ownerNodeId: string;
  readonly epoch: number;
  /** Highest epoch ever granted or reserved; the next grant is above it. */
  readonly epochHighest: number;
  /** The move that runs. */
  readonly intent: MoveIntent | null;
  /** The last move that has ended, while its source may still turn out to have taken the transport back. */
  readonly lastIntent: MoveIntent | null;
  readonly connected: boolean;
  /** Negotiated state, so that it can be taken up again. Holds no SRTP key. */
  readonly negotiated: Json;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
}

export type MigrationStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface MigrationRecord {
  readonly migrationId: string;
  readonly sessionId: string;
  readonly status: MigrationStatus;
  readonly targetNodeId: string;
  readonly rehearsal: boolean;
  readonly moved: number;
  readonly total: number;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
}

/** What became of one connection in one migration. */
export interface MoveRecord {
  readonly moveId: string;
  readonly migrationId: string;
  readonly connectionId: string;
  readonly fromNodeId: string;
  readonly toNodeId: string;
  /** Null while it runs. */
  readonly outcome: string | null;
  readonly failure: string | null;
  /** What the client measured around it. */
  readonly gap: Json;
  /** What the nodes measured. */
  readonly measures: Json;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}
