import type { Capabilities, ConnectResult, SequencedEvent } from '@godwit/protocol';
import { otError } from '../errors.js';
import { complete } from '../events/completion.js';
import type { Completion } from '../events/completion.js';
import { Emitter } from '../events/emitter.js';
import { makeEvent } from '../events/event.js';
import { withPromise } from '../events/withPromise.js';
import type { PublisherProperties } from '../media/properties.js';
import { Publisher } from '../publisher/publisher.js';
import type { Subscriber } from '../subscriber/subscriber.js';
import type { SubscriberProperties } from '../subscriber/subscriber.js';
import type { WidgetTarget } from '../view/widget.js';
import { CpuPressure } from './cpuPressure.js';
import { Moderation } from './moderation.js';
import type { SessionOptions } from './options.js';
import { Roster } from './roster.js';
import { SessionCall } from './sessionCall.js';
import type { SessionEvents, StreamProperty } from './sessionEvents.js';
import { signalRequest } from './signal.js';
import type { Signal } from './signal.js';
import type { Connection, Stream } from './stream.js';

type State =
  | { kind: 'disconnected' }
  | { kind: 'connecting'; call: SessionCall }
  | { kind: 'connected'; call: SessionCall };

/** A session of the platform. Made by `OT.initSession`. */
export class Session extends Emitter<SessionEvents> {
  readonly apiKey: string;
  readonly sessionId: string;
  /** Our own connection; set before callbacks and events tell of it. */
  connection: Connection | undefined;
  /** What the token's role allows: 1 or 0. */
  capabilities: Capabilities = {
    publish: 0,
    subscribe: 0,
    forceDisconnect: 0,
    forceUnpublish: 0,
    forceMute: 0,
  };
  #options: SessionOptions;
  readonly #defaultApiUrl: () => string;
  readonly #roster = new Roster();
  readonly #subscribers = new Set<Subscriber>();
  readonly #publishers = new Set<Publisher>();
  readonly #moderation = new Moderation(async (type, body) => {
    const state = this.#state;
    if (state.kind !== 'connected') throw otError('OT_NOT_CONNECTED');
    await state.call.request(type, body);
  });
  #cpu: CpuPressure | undefined;
  /** What is published starts muted. */
  #muteForced = false;
  #state: State = { kind: 'disconnected' };

  /** @internal Use `OT.initSession`. */
  constructor(apiKey: string, sessionId: string, options: SessionOptions, defaultApiUrl: () => string) {
    super();
    this.apiKey = apiKey;
    this.sessionId = sessionId;
    this.#options = options;
    this.#defaultApiUrl = defaultApiUrl;
  }

  /** Joins the session. `connect.promise(token)` does the same with a promise. */
  readonly connect = withPromise(
    (token: string, completion?: Completion): this => {
      complete(this.#connect(token), completion, 'OT_CONNECT_FAILED');
      return this;
    },
    (token: string): Promise<void> => this.#connect(token),
  );

  /** Publishes a publisher, or makes one from a target and properties. Fails with 1010, 1500 or 1601. */
  readonly publish = withPromise(
    (
      publisher?: Publisher | WidgetTarget,
      properties?: PublisherProperties | Completion<Publisher>,
      completion?: Completion<Publisher>,
    ): Publisher => {
      const last = typeof properties === 'function' ? properties : completion;
      const made = this.#publisherFrom(publisher, typeof properties === 'function' ? {} : properties);
      complete(this.#publish(made), last, 'OT_PUBLISHER_WEBRTC_ERROR');
      return made;
    },
    (publisher?: Publisher | WidgetTarget, properties?: PublisherProperties): Promise<Publisher> =>
      this.#publish(this.#publisherFrom(publisher, properties)),
  );

  /**
   * Shows a stream of somebody else. Fails with 1010, 1500, 1600 or 1604.
   * @throws OTError 1010 without a session, 1011 for a target that does not exist; `subscribe.promise` rejects instead
   */
  readonly subscribe = withPromise(
    (
      stream: Stream,
      target?: WidgetTarget,
      properties?: SubscriberProperties | Completion<Subscriber>,
      completion?: Completion<Subscriber>,
    ): Subscriber => {
      const last = typeof properties === 'function' ? properties : completion;
      const given = typeof properties === 'function' ? {} : (properties ?? {});
      const { subscriber, done } = this.#subscribe(stream, target, given);
      complete(done, last, 'OT_SUBSCRIBER_WEBRTC_ERROR');
      return subscriber;
    },
    async (stream: Stream, target?: WidgetTarget, properties?: SubscriberProperties): Promise<Subscriber> =>
      this.#subscribe(stream, target, properties ?? {}).done,
  );

  /** Whether the session is connected (also while signalling is away). */
  isConnected(): boolean {
    return this.#state.kind === 'connected';
  }

  /** Leaves the session; `sessionDisconnected` with reason clientDisconnected follows. */
  async disconnect(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'disconnected') return;
    await state.call.leave();
    this.#over('clientDisconnected');
  }

  /** Stops publishing; the publisher's default action removes its element. */
  unpublish(publisher: Publisher): void {
    if (this.#state.kind === 'connected') this.#state.call.unpublish(publisher, 'clientDisconnected');
  }

  /** Stops showing a stream and removes its element. */
  unsubscribe(subscriber: Subscriber): void {
    this.#dropSubscriber(subscriber, 'clientDisconnected');
  }

  /** Sends text to everybody or to one client. Fails with 1010, 1011 or the server's error. */
  signal(signal: Signal, completion?: Completion): void {
    complete(this.#signal(signal), completion, 'OT_UNABLE_TO_SIGNAL');
  }

  /** Moderators: ends somebody's connection. Fails with 1010 or 1520. */
  forceDisconnect(connection: Connection | string, completion?: Completion): void {
    this.#moderation.disconnect(connection, completion);
  }

  /** Moderators: takes somebody's stream out of the session. Fails with 1010, 1530 or 1535. */
  forceUnpublish(stream: Stream | string, completion?: Completion): void {
    this.#moderation.unpublish(stream, completion);
  }

  /** Moderators: mutes the sound of a stream; its publisher may unmute it. */
  forceMuteStream(stream: Stream): Promise<void> {
    return this.#moderation.muteStream(stream);
  }

  /** Moderators: mutes every stream but those, and what is published until `disableForceMute`. */
  forceMuteAll(excludedStreams: readonly Stream[] = []): Promise<void> {
    return this.#moderation.muteAll(excludedStreams);
  }

  /** Moderators: what is published from now on starts as its publisher wants. */
  disableForceMute(): Promise<void> {
    return this.#moderation.disableMute();
  }

  /** Takes other ICE servers, for the peer connection that is there (from its next restart on) and for those to come. */
  setIceConfig(iceConfig: NonNullable<SessionOptions['iceConfig']>): void {
    this.#options = { ...this.#options, iceConfig };
    if (this.#state.kind !== 'disconnected') this.#state.call.setOptions(this.#options);
  }

  /** The publisher of one of our own streams. */
  getPublisherForStream(stream: Stream): Publisher | undefined {
    return [...this.#publishers].find((publisher) => publisher.streamId === stream.streamId);
  }

  /** Our subscribers of a stream. */
  getSubscribersForStream(stream: Stream): Subscriber[] {
    return [...this.#subscribers].filter((subscriber) => subscriber.streamId === stream.streamId);
  }

  async #connect(token: string): Promise<void> {
    if (typeof token !== 'string' || token === '')
      throw otError('OT_AUTHENTICATION_ERROR', 'There is no token.');
    if (this.#state.kind !== 'disconnected')
      throw otError('OT_CONNECT_FAILED', 'The session is connected already.');
    const call = new SessionCall(this.#options, {
      event: (event) => this.#serverEvent(event),
      reconnecting: () => this.dispatch('sessionReconnecting', makeEvent('sessionReconnecting', this, {})),
      reconnected: () => this.dispatch('sessionReconnected', makeEvent('sessionReconnected', this, {})),
      rosterReplaced: (roster) => this.#replaceRoster(roster),
      lost: () => this.#over('networkDisconnected'),
      pathChanged: (connected) => {
        for (const subscriber of this.#subscribers) subscriber.announceConnected(connected);
      },
      publicationEnded: (publisher) => this.#publishers.delete(publisher),
      migrationStarted: (moveId) =>
        this.dispatch('migrationStarted', makeEvent('migrationStarted', this, { moveId })),
      migrationMeasured: (report) =>
        this.dispatch('migrationMeasured', makeEvent('migrationMeasured', this, { report })),
      transportReplaced: (report) =>
        this.dispatch('transportReplaced', makeEvent('transportReplaced', this, { report })),
    });
    this.#state = { kind: 'connecting', call };
    try {
      const result = await call.connect(this.apiKey, this.sessionId, token, this.#defaultApiUrl());
      this.#connected(call, result);
    } catch (error) {
      if (this.#callIs(call)) this.#state = { kind: 'disconnected' };
      throw error;
    }
  }

  async #signal(signal: Signal): Promise<void> {
    const request = signalRequest(signal);
    const state = this.#state;
    if (request instanceof Error) throw request;
    if (state.kind !== 'connected') throw otError('OT_NOT_CONNECTED');
    await state.call.request('signal', request, { retry: signal.retryAfterReconnect ?? true });
  }

  #callIs(call: SessionCall): boolean {
    return this.#state.kind !== 'disconnected' && this.#state.call === call;
  }

  #connected(call: SessionCall, result: ConnectResult): void {
    if (!this.#callIs(call)) throw otError('OT_CONNECT_FAILED', 'The session was left meanwhile.');
    this.#state = { kind: 'connected', call };
    this.connection = result.connection;
    this.capabilities = result.capabilities;
    this.#muteForced = result.muteForced;
    // A turn later, so that listeners added in the callback, or after the promise, hear of everybody.
    setTimeout(() => {
      if (!this.#callIs(call)) return;
      this.dispatch('sessionConnected', makeEvent('sessionConnected', this, {}));
      this.#replaceRoster(result);
      call.start();
      // It may have been over among the first events.
      if (!this.#callIs(call)) return;
      this.#cpu = new CpuPressure((cpuPerformanceState) =>
        this.dispatch(
          'cpuPerformanceChanged',
          makeEvent('cpuPerformanceChanged', this, { cpuPerformanceState }),
        ),
      );
    }, 0);
  }

  #replaceRoster(roster: ConnectResult): void {
    this.#muteForced = roster.muteForced;
    const { connection, connections, streams } = roster;
    const changes = this.#roster.replace({ connections: [connection, ...connections], streams });
    for (const stream of changes.streamsGone) this.#announceStreamGone(stream, 'networkDisconnected');
    for (const connection of changes.connectionsGone) {
      this.#announceConnectionGone(connection, 'networkDisconnected');
    }
    for (const connection of changes.connectionsNew) this.#announceConnection(connection);
    for (const stream of changes.streamsNew) this.#announceStream(stream);
  }

  #serverEvent(event: SequencedEvent): void {
    switch (event.event) {
      case 'connectionCreated':
        if (this.#roster.addConnection(event.connection)) this.#announceConnection(event.connection);
        return;
      case 'connectionDestroyed':
        if (this.#roster.removeConnection(event.connection.connectionId) !== undefined) {
          this.#announceConnectionGone(event.connection, event.reason);
        }
        return;
      case 'streamCreated': {
        const stream = this.#roster.addStream(event.stream);
        if (stream !== undefined) this.#announceStream(stream);
        return;
      }
      case 'streamDestroyed':
        return this.#streamDestroyed(event.streamId, event.reason);
      case 'streamPropertyChanged':
        return this.#streamPropertyChanged(event.streamId, event.changedProperty, event.newValue);
      case 'streamMuteForced':
        this.#ownPublisher(event.streamId)?.muteForced();
        return;
      case 'muteForced':
        this.#muteForced = event.active;
        this.dispatch('muteForced', makeEvent('muteForced', this, { active: event.active }));
        return;
      case 'signal':
        return this.#signalled(event.signalType, event.data, event.from ?? null);
      case 'sessionDestroyed':
        this.dispatch('sessionDestroyed', makeEvent('sessionDestroyed', this, { reason: event.reason }));
        return;
      case 'sessionDisconnected':
        return this.#over(event.reason);
      case 'moveCandidate':
      case 'restartOffer':
      case 'moveEnded':
      case 'transportSuspect':
      case 'transportLost':
        return; // the call has taken these
    }
  }

  /** The server may speak of a stream before its publisher has begun. */
  #ownPublisher(streamId: string): Publisher | undefined {
    return this.#state.kind === 'connected' ? this.#state.call.publisherOf(streamId) : undefined;
  }

  #announceConnection(connection: Connection): void {
    if (this.#options.connectionEventsSuppressed === true) return;
    this.dispatch('connectionCreated', makeEvent('connectionCreated', this, { connection }));
  }

  #announceConnectionGone(connection: Connection, reason: string): void {
    if (this.#options.connectionEventsSuppressed === true) return;
    this.dispatch('connectionDestroyed', makeEvent('connectionDestroyed', this, { connection, reason }));
  }

  #isOwn(stream: Stream): boolean {
    return stream.connection.connectionId === this.connection?.connectionId;
  }

  #announceStream(stream: Stream): void {
    if (this.#isOwn(stream)) return;
    this.dispatch('streamCreated', makeEvent('streamCreated', this, { stream }));
  }

  #streamDestroyed(streamId: string, reason: string): void {
    const own = this.#ownPublisher(streamId);
    const stream = this.#roster.removeStream(streamId);
    if (own !== undefined && this.#state.kind === 'connected') {
      this.#state.call.unpublish(own, reason);
    } else if (stream !== undefined && !this.#isOwn(stream)) this.#announceStreamGone(stream, reason);
  }

  #announceStreamGone(stream: Stream, reason: string): void {
    if (this.#isOwn(stream)) return;
    const event = makeEvent('streamDestroyed', this, { stream, reason }, true);
    this.dispatch('streamDestroyed', event);
    for (const subscriber of this.getSubscribersForStream(stream)) {
      this.#dropSubscriber(subscriber, reason, event.isDefaultPrevented());
    }
  }

  #streamPropertyChanged(streamId: string, changedProperty: StreamProperty, newValue: unknown): void {
    const own = [...this.#publishers].find((publisher) => publisher.streamId === streamId)?.stream;
    const stream = this.#roster.stream(streamId) ?? own;
    if (stream === undefined) return;
    const oldValue: unknown = stream[changedProperty];
    Object.assign(stream, { [changedProperty]: newValue });
    if (own !== undefined && own !== stream) Object.assign(own, { [changedProperty]: newValue });
    if (changedProperty === 'hasVideo' && oldValue !== newValue) {
      for (const subscriber of this.getSubscribersForStream(stream))
        subscriber.hasVideoChanged(stream.hasVideo);
    }
    const fields = { stream, changedProperty, oldValue, newValue };
    this.dispatch('streamPropertyChanged', makeEvent('streamPropertyChanged', this, fields));
  }

  #signalled(signalType: string | undefined, data: string, from: Connection | null): void {
    const fields = { signalType, data, from };
    const type: `signal:${string}` | 'signal' = signalType === undefined ? 'signal' : `signal:${signalType}`;
    const event = makeEvent(type, this, fields);
    this.dispatch('signal', event);
    if (type !== 'signal') this.dispatch(type, event);
  }

  #publisherFrom(publisher?: Publisher | WidgetTarget, properties?: PublisherProperties): Publisher {
    return publisher instanceof Publisher ? publisher : new Publisher(publisher, properties ?? {});
  }

  async #publish(publisher: Publisher): Promise<Publisher> {
    const state = this.#state;
    if (state.kind !== 'connected' || this.connection === undefined) throw otError('OT_NOT_CONNECTED');
    if (this.capabilities.publish !== 1) throw otError('OT_PERMISSION_DENIED');
    if (publisher.isDestroyed || publisher.session !== undefined || this.#publishers.has(publisher)) {
      throw otError('OT_INVALID_PARAMETER', 'The publisher is destroyed or published already.');
    }
    this.#publishers.add(publisher);
    const startsMuted = this.#muteForced;
    if (startsMuted) publisher.muteForced();
    try {
      await state.call.publish(publisher, this, this.connection);
      // Everybody was muted meanwhile, before the server knew of this stream.
      if (this.#muteForced && !startsMuted && publisher.stream?.hasAudio === true) publisher.muteForced();
      return publisher;
    } catch (error) {
      this.#publishers.delete(publisher);
      throw error;
    }
  }

  #subscribe(
    stream: Stream,
    target: WidgetTarget | undefined,
    properties: SubscriberProperties,
  ): { subscriber: Subscriber; done: Promise<Subscriber> } {
    const state = this.#state;
    if (state.kind !== 'connected') throw otError('OT_NOT_CONNECTED');
    if (typeof stream?.streamId !== 'string') throw otError('OT_INVALID_PARAMETER', 'There is no stream.');
    const { subscriber, done } = state.call.subscribe(stream, target, properties);
    this.#subscribers.add(subscriber);
    queueMicrotask(() => subscriber.announceElement());
    const settled = done.catch((error: unknown) => {
      this.#dropSubscriber(subscriber, 'networkDisconnected');
      throw error;
    });
    return { subscriber, done: settled };
  }

  #dropSubscriber(subscriber: Subscriber, reason: string, keepElement = false): void {
    if (!this.#subscribers.delete(subscriber)) return;
    if (this.#state.kind === 'connected') this.#state.call.unsubscribe(subscriber);
    subscriber.destroy(reason, keepElement);
  }

  /** The one place where a connection to the session ends. */
  #over(reason: string): void {
    const state = this.#state;
    if (state.kind === 'disconnected') return;
    this.#state = { kind: 'disconnected' };
    state.call.close();
    this.#cpu?.close();
    this.#roster.clear();
    if (state.kind === 'connecting') return;
    const event = makeEvent('sessionDisconnected', this, { reason }, true);
    this.dispatch('sessionDisconnected', event);
    for (const publisher of [...this.#publishers]) publisher.ended(reason);
    for (const subscriber of [...this.#subscribers]) {
      subscriber.destroy(reason, event.isDefaultPrevented());
    }
    this.#publishers.clear();
    this.#subscribers.clear();
    this.connection = undefined;
  }
}
