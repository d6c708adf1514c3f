import type { GapReport, LossReport } from '@godwit/protocol';
import type { OTEvent } from '../events/event.js';
import type { CpuPerformanceState } from './cpuPressure.js';
import type { Session } from './session.js';
import type { Connection, Stream } from './stream.js';

type Event<Type extends string, Fields = unknown> = OTEvent<Type, Session> & Fields;

export type SignalEvent<Type extends string = string> = Event<
  Type,
  {
    /** The signal's own type; undefined when it was sent without one. */
    signalType: string | undefined;
    data: string;
    /** Null when the server sent it. */
    from: Connection | null;
  }
>;

/** Properties of a stream that change. */
export type StreamProperty = 'hasAudio' | 'hasVideo' | 'hasCaptions' | 'videoDimensions';

/** Events of a session. Those marked "ours" are not in OpenTok.js. */
export interface SessionEvents {
  sessionConnected: Event<'sessionConnected'>;
  /**
   * Signalling broke, while media goes on; or the media server died (its subscribers say `disconnected`). The SDK comes back
   * by itself, with the same connection and streams.
   */
  sessionReconnecting: Event<'sessionReconnecting'>;
  sessionReconnected: Event<'sessionReconnected'>;
  /** Comes exactly once for each connect. Default action: publishers and subscribers are destroyed. */
  sessionDisconnected: Event<'sessionDisconnected', { reason: string }>;
  /** Ours: the server ended the session for this client; `sessionDisconnected` follows. */
  sessionDestroyed: Event<'sessionDestroyed', { reason: string }>;
  connectionCreated: Event<'connectionCreated', { connection: Connection }>;
  connectionDestroyed: Event<'connectionDestroyed', { connection: Connection; reason: string }>;
  streamCreated: Event<'streamCreated', { stream: Stream }>;
  /** Default action: subscribers of the stream are destroyed and their elements removed. */
  streamDestroyed: Event<'streamDestroyed', { stream: Stream; reason: string }>;
  streamPropertyChanged: Event<
    'streamPropertyChanged',
    { stream: Stream; changedProperty: StreamProperty; oldValue: unknown; newValue: unknown }
  >;
  /** A moderator, or the server, muted everybody (`active`), or lifted it for what is published later. */
  muteForced: Event<'muteForced', { active: boolean }>;
  /** How busy this computer is, where the browser tells (Compute Pressure). */
  cpuPerformanceChanged: Event<'cpuPerformanceChanged', { cpuPerformanceState: CpuPerformanceState }>;
  signal: SignalEvent;
  [signal: `signal:${string}`]: SignalEvent;
  /** Ours: this client's transport begins to move to another media server. */
  migrationStarted: Event<'migrationStarted', { moveId: string }>;
  /** Ours: what the page saw around a move, as it was reported to the server. */
  migrationMeasured: Event<'migrationMeasured', { report: GapReport }>;
  /** Ours: the media server died, and media goes on over another one. */
  transportReplaced: Event<'transportReplaced', { report: LossReport }>;
}
