import type { GapReport } from '@godwit/protocol';

/**
 * What the page uses of the SDK's global `OT`, declared as a customer's page would declare it: the page loads the
 * script like everybody else and shares no code with it.
 */
export interface OpenTok {
  initSession(apiKey: string, sessionId: string, options: { sessionMigration: boolean }): Session;
  initPublisher(target: undefined, properties: PublisherProperties, completion: Completion): Publisher;
}

export type Completion = (error?: SdkError | null) => void;

export interface SdkError {
  readonly name?: string;
  readonly message?: string;
}

export interface PublisherProperties {
  name: string;
  insertDefaultUI: false;
  videoSource: MediaStreamTrack | false;
  audioSource: MediaStreamTrack | false;
  publishAudio: boolean;
  publishVideo: boolean;
}

export interface Connection {
  readonly connectionId: string;
}

export interface Stream {
  readonly streamId: string;
  readonly name: string;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly connection: Connection;
}

export interface Publisher {
  publishAudio(on: boolean): void;
  publishVideo(on: boolean): void;
  destroy(): void;
}

export interface Subscriber {
  on(event: 'videoElementCreated', handler: (event: { element: HTMLElement }) => void): unknown;
  setAudioVolume(volume: number): unknown;
}

export interface SessionEvents {
  sessionDisconnected: { reason: string };
  sessionReconnecting: unknown;
  sessionReconnected: unknown;
  streamCreated: { stream: Stream };
  streamDestroyed: { stream: Stream; reason: string };
  streamPropertyChanged: { stream: Stream };
  /** Godwit's own: this participant's transport begins to move. */
  migrationStarted: { moveId: string };
  /** Godwit's own: what was seen around the move, 2 s after its end. */
  migrationMeasured: { report: GapReport };
}

export interface Session {
  readonly connection?: Connection | null;
  connect(token: string, completion: Completion): void;
  disconnect(): unknown;
  publish(publisher: Publisher, completion: Completion): unknown;
  subscribe(
    stream: Stream,
    target: undefined,
    properties: { insertDefaultUI: false },
    completion: Completion,
  ): Subscriber;
  on<Name extends keyof SessionEvents>(event: Name, handler: (event: SessionEvents[Name]) => void): unknown;
}

declare global {
  interface Window {
    OT?: OpenTok;
  }
}
