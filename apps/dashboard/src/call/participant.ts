import { signal, type ReadonlySignal } from '@preact/signals';
import type { GapReport } from '@godwit/protocol';
import type { Admission } from '../api/demo-api.js';
import type { MediaSource } from '../media/source.js';
import type { OpenTok, Publisher, Session, Stream, Subscriber } from '../sdk/opentok.js';

/*
 * The second person is a second OT session in this page, not an iframe: both then share one clock and one visibility
 * state, so their frame times lie on one axis and hidden time is known for both at once. Media does not know the
 * difference: each has its own PeerConnection, ports, keys and transport, and all video goes through the server.
 */

/** Somebody whose video arrives. `element` comes once the SDK has made it. */
export interface Received {
  readonly streamId: string;
  readonly connectionId: string;
  readonly name: string;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly element: HTMLVideoElement | null;
}

/** One person of this window in the call. */
export interface Participant {
  readonly key: string;
  readonly name: string;
  readonly source: MediaSource;
  readonly connectionId: ReadonlySignal<string | null>;
  readonly received: ReadonlySignal<readonly Received[]>;
  readonly sendsAudio: ReadonlySignal<boolean>;
  readonly sendsVideo: ReadonlySignal<boolean>;
  readonly reconnecting: ReadonlySignal<boolean>;
  sendAudio(on: boolean): void;
  sendVideo(on: boolean): void;
  playSound(on: boolean): void;
  /** Ends the session and the source. */
  leave(): void;
}

/** What a participant tells the page. */
export interface ParticipantEvents {
  onConnected(): void;
  onConnectFailed(message: string): void;
  onPublishFailed(message: string): void;
  onDisconnected(reason: string): void;
  onMoveStarted(moveId: string): void;
  onMeasured(report: GapReport): void;
  /** A video element shows frames from now on; the answer is called when it ends. */
  onVideo(received: Received, element: HTMLVideoElement): () => void;
  /** Somebody stopped or started their video. */
  onVideoSwitched(streamId: string, hasVideo: boolean): void;
}

interface Subscription {
  readonly subscriber: Subscriber;
  stopWatching: () => void;
}

/** Joins the session, publishes the source and subscribes to everybody. */
export function join(
  OT: OpenTok,
  admission: Admission,
  person: { key: string; name: string; source: MediaSource },
  events: ParticipantEvents,
): Participant {
  const session = OT.initSession(admission.apiKey, admission.sessionId, { sessionMigration: true });
  const connectionId = signal<string | null>(null);
  const reconnecting = signal(false);
  const sends = {
    audio: signal(person.source.audio !== false),
    video: signal(person.source.video !== false),
  };
  const incoming = receiveAll(session, events);
  let publisher: Publisher | null = null;

  session.on('sessionReconnecting', () => (reconnecting.value = true));
  session.on('sessionReconnected', () => (reconnecting.value = false));
  session.on('migrationStarted', ({ moveId }) => events.onMoveStarted(moveId));
  session.on('migrationMeasured', ({ report }) => events.onMeasured(report));
  session.on('sessionDisconnected', ({ reason }) => {
    incoming.end();
    person.source.stop();
    events.onDisconnected(reason);
  });
  session.connect(admission.token, (error) => {
    if (error != null) {
      events.onConnectFailed(error.message ?? '');
      return;
    }
    connectionId.value = session.connection?.connectionId ?? null;
    events.onConnected();
    publisher = publish(OT, session, person, events);
  });

  return {
    ...person,
    connectionId,
    reconnecting,
    received: incoming.received,
    sendsAudio: sends.audio,
    sendsVideo: sends.video,
    playSound: incoming.playSound,
    sendAudio: (on) => {
      sends.audio.value = on;
      publisher?.publishAudio(on);
    },
    sendVideo: (on) => {
      sends.video.value = on;
      publisher?.publishVideo(on);
    },
    leave: () => {
      void session.disconnect();
      incoming.end();
      person.source.stop();
    },
  };
}

function publish(
  OT: OpenTok,
  session: Session,
  person: { name: string; source: MediaSource },
  events: ParticipantEvents,
): Publisher {
  const { audio, video } = person.source;
  const onCompletion = (error?: { message?: string } | null): void => {
    if (error != null) events.onPublishFailed(error.message ?? '');
  };
  const publisher = OT.initPublisher(
    undefined,
    {
      name: person.name,
      insertDefaultUI: false,
      videoSource: video,
      audioSource: audio,
      publishAudio: audio !== false,
      publishVideo: video !== false,
    },
    onCompletion,
  );
  session.publish(publisher, onCompletion);
  return publisher;
}

/** Keeps `received` in step with the streams of the others. */
function receiveAll(session: Session, events: ParticipantEvents) {
  const received = signal<readonly Received[]>([]);
  const subscriptions = new Map<string, Subscription>();
  let sound = false;

  const replace = (streamId: string, change: Partial<Received>): void => {
    received.value = received.value.map((one) => (one.streamId === streamId ? { ...one, ...change } : one));
  };
  const drop = (streamId: string): void => {
    subscriptions.get(streamId)?.stopWatching();
    subscriptions.delete(streamId);
    received.value = received.value.filter((one) => one.streamId !== streamId);
  };
  const add = (stream: Stream): void => {
    const person = receivedOf(stream);
    received.value = [...received.value.filter((one) => one.streamId !== stream.streamId), person];
    const subscriber = session.subscribe(stream, undefined, { insertDefaultUI: false }, (error) => {
      if (error != null) drop(stream.streamId);
    });
    const subscription: Subscription = { subscriber, stopWatching: () => undefined };
    subscriptions.set(stream.streamId, subscription);
    subscriber.on('videoElementCreated', ({ element }) => {
      if (!(element instanceof HTMLVideoElement)) return;
      setSound(subscriber, element, sound);
      subscription.stopWatching();
      subscription.stopWatching = events.onVideo(person, element);
      events.onVideoSwitched(stream.streamId, stream.hasVideo);
      replace(stream.streamId, { element });
    });
  };
  session.on('streamCreated', ({ stream }) => add(stream));
  session.on('streamDestroyed', ({ stream }) => drop(stream.streamId));
  session.on('streamPropertyChanged', ({ stream }) => {
    replace(stream.streamId, { hasAudio: stream.hasAudio, hasVideo: stream.hasVideo });
    events.onVideoSwitched(stream.streamId, stream.hasVideo);
  });
  return {
    received,
    playSound: (on: boolean): void => {
      sound = on;
      for (const one of received.value) {
        const subscription = subscriptions.get(one.streamId);
        if (subscription !== undefined && one.element !== null)
          setSound(subscription.subscriber, one.element, on);
      }
    },
    end: (): void => {
      for (const streamId of [...subscriptions.keys()]) drop(streamId);
    },
  };
}

function receivedOf(stream: Stream): Received {
  return {
    streamId: stream.streamId,
    connectionId: stream.connection.connectionId,
    name: stream.name === '' ? 'Guest' : stream.name,
    hasAudio: stream.hasAudio,
    hasVideo: stream.hasVideo,
    element: null,
  };
}

/** Muted video may start by itself in every browser, audible video may not. */
function setSound(subscriber: Subscriber, element: HTMLVideoElement, on: boolean): void {
  subscriber.setAudioVolume(on ? 100 : 0);
  element.muted = !on;
}
