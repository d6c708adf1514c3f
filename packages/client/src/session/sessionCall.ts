import type {
  ClientRequestType,
  ClientResult,
  ConnectResult,
  GapReport,
  LossReport,
  SequencedEvent,
} from '@godwit/protocol';
import { MediaConnection } from '../connection/mediaConnection.js';
import type { StreamMedia } from '../connection/mediaConnection.js';
import { detectPathMethod } from '../connection/pathMethod.js';
import { otError } from '../errors.js';
import type { FrameTimeline } from '../gap/frameTimeline.js';
import { log } from '../log.js';
import type { LocalMedia } from '../media/sources.js';
import type { Publisher } from '../publisher/publisher.js';
import { SignallingLink } from '../signalling/link.js';
import { browserPlatform } from '../signalling/platform.js';
import type { RequestBody } from '../signalling/requests.js';
import { signallingUrl, tokenUrl } from '../signalling/url.js';
import { Subscriber } from '../subscriber/subscriber.js';
import type { SubscriberProperties } from '../subscriber/subscriber.js';
import { SDK_VERSION } from '../version.js';
import type { WidgetTarget } from '../view/widget.js';
import { Moves } from './moves.js';
import { rtcConfiguration } from './options.js';
import { encodeVideo, replaceTrack, streamProperties, tracksOf } from './publication.js';
import type { Publication, Sent } from './publication.js';
import type { PublicationHandle } from '../publisher/publisher.js';
import { Reconnection } from './reconnection.js';
import { Rejoin } from './rejoin.js';
import type { SessionOptions } from './options.js';
import type { Connection, Stream } from './stream.js';
import { Wishes } from './wishes.js';
import type { Wanted } from './wishes.js';

export interface SessionCallObserver {
  event(event: SequencedEvent): void;
  /** Signalling or media, or both, are away. */
  reconnecting(): void;
  /** Everything is back. */
  reconnected(): void;
  /** The server tells everything anew. */
  rosterReplaced(roster: ConnectResult): void;
  /** The connection is gone for good. */
  lost(): void;
  transportReplaced(report: LossReport): void;
  pathChanged(connected: boolean): void;
  /** A publisher is no longer published, for whatever reason. */
  publicationEnded(publisher: Publisher): void;
  migrationStarted(moveId: string): void;
  migrationMeasured(report: GapReport): void;
}

interface Subscription {
  streamId: string;
  timeline: FrameTimeline;
  wanted: Wanted;
  /** Its media has been set up. */
  attached: boolean;
}

/** One stay in a session, from connect to disconnect: signalling, the peer connection, and what runs over it. */
export class SessionCall {
  #options: SessionOptions;
  readonly #observer: SessionCallObserver;
  readonly #publications = new Map<Publisher, Publication>();
  readonly #subscriptions = new Map<Subscriber, Subscription>();
  readonly #wishes = new Wishes();
  readonly #moves: Moves;
  readonly #reconnection = new Reconnection();
  readonly #rejoin: Rejoin;
  readonly #online: () => void;
  readonly #pageHidden: (event: PageTransitionEvent) => void;
  #link: SignallingLink | undefined;
  #media: MediaConnection | undefined;
  #pathBroken = false;
  #closed = false;

  constructor(options: SessionOptions, observer: SessionCallObserver) {
    this.#options = options;
    this.#observer = observer;
    this.#moves = new Moves(browserPlatform, {
      addCandidates: (candidates) => this.#media?.addCandidates(candidates) ?? Promise.resolve(),
      restart: (offer) => this.#media?.restart(offer),
      getStats: () => this.#peer().getStats(),
      report: (report) => this.request('gapReport', { report }),
      migrationStarted: (moveId) => observer.migrationStarted(moveId),
      migrationMeasured: (report) => observer.migrationMeasured(report),
    });
    this.#rejoin = new Rejoin(browserPlatform, {
      attempt: () => this.#replaceTransport(),
      restored: (report) => this.#transportReplaced(report),
      failed: () => observer.lost(),
    });
    this.#online = () => {
      this.#link?.retryNow();
      this.#media?.networkChanged();
    };
    this.#pageHidden = (event) => {
      // A page that goes for good leaves at once; one that may come back keeps its place for the grace.
      if (!event.persisted) void this.leave();
    };
    window.addEventListener('online', this.#online);
    window.addEventListener('pagehide', this.#pageHidden);
  }

  /** Joins. The token's claim `url` goes before `apiUrl`. */
  async connect(apiKey: string, sessionId: string, token: string, apiUrl: string): Promise<ConnectResult> {
    const url = signallingUrl(tokenUrl(token) ?? apiUrl);
    this.#link = new SignallingLink(browserPlatform, url, {
      event: (event) => this.#event(event),
      reconnecting: () => {
        if (this.#reconnection.left('signalling')) this.#observer.reconnecting();
      },
      reconnected: (roster) => {
        if (this.#reconnection.returned('signalling')) this.#observer.reconnected();
        if (roster !== undefined) this.#observer.rosterReplaced(roster);
      },
      lost: () => this.#observer.lost(),
      mediaConnected: () => this.#media?.isConnected ?? false,
    });
    try {
      return await this.#link.connect({
        apiKey,
        sessionId,
        token,
        sdkVersion: SDK_VERSION,
        sessionMigration: this.#options.sessionMigration ?? false,
        pathMethod: detectPathMethod(navigator),
        ...(this.#options.connectionEventsSuppressed === true && { connectionEventsSuppressed: true }),
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Only the ICE configuration may change after connecting. */
  setOptions(options: SessionOptions): void {
    this.#options = options;
    this.#media?.configure(rtcConfiguration(options));
  }

  /** Lets the server's events through. */
  start(): void {
    this.#link?.start();
  }

  request<T extends ClientRequestType>(
    type: T,
    body: RequestBody<T>,
    options?: { retry: boolean },
  ): Promise<ClientResult<T>> {
    return this.#link?.request(type, body, options) ?? Promise.reject(otError('OT_NOT_CONNECTED'));
  }

  /** Publishes; afterwards `publisher.stream` is set and its streamCreated has been dispatched. */
  async publish(publisher: Publisher, session: unknown, connection: Connection): Promise<void> {
    const publication: Publication = { streamId: undefined, ended: false };
    this.#publications.set(publisher, publication);
    try {
      const local = await publisher.ready();
      const properties = streamProperties(publisher, local);
      const { streamId, creationTime } = await this.request('createStream', properties);
      publication.streamId = streamId;
      const media = await this.#send(publication, publisher, local, streamId);
      const stream: Stream = {
        ...properties,
        streamId,
        creationTime,
        connection,
        hasCaptions: false,
        initials: properties.initials ?? '',
        frameRate: properties.frameRate,
        videoType: local.videoType,
      };
      publication.sent = { tracks: tracksOf(publisher, local), media };
      publisher.began(stream, this.#handle(publisher, session, streamId, publication.sent));
      // Muted while it was being set up.
      const { hasAudio } = streamProperties(publisher, local);
      if (hasAudio !== properties.hasAudio) this.#tell('updateStream', { streamId, hasAudio });
      publisher.announce();
    } catch (error) {
      this.#endPublication(publisher);
      throw error;
    }
  }

  /** Whose stream it is, also while it is still being set up. */
  publisherOf(streamId: string): Publisher | undefined {
    for (const [publisher, publication] of this.#publications) {
      if (publication.streamId === streamId && !publication.ended) return publisher;
    }
    return undefined;
  }

  /** Stops a publication, also one that is still being set up. */
  unpublish(publisher: Publisher, reason: string): void {
    this.#endPublication(publisher);
    publisher.ended(reason);
  }

  /** Makes a subscriber at once; `done` settles when its media is set up. */
  subscribe(
    stream: Stream,
    target: WidgetTarget | undefined,
    properties: SubscriberProperties,
  ): { subscriber: Subscriber; done: Promise<Subscriber> } {
    const { streamId } = stream;
    const timeline = this.#moves.watch();
    const { subscribeToAudio: audio = true, subscribeToVideo: video = true } = properties;
    const subscription: Subscription = { streamId, timeline, wanted: { audio, video }, attached: false };
    const update = (wanted: Partial<Wanted>): void => {
      subscription.wanted = { ...subscription.wanted, ...wanted };
      this.#tellWishes(streamId);
    };
    const handle = { timeline, update, getStats: () => this.#peer().getStats() };
    let subscriber: Subscriber;
    try {
      subscriber = new Subscriber(handle, stream, target, properties);
    } catch (error) {
      this.#moves.unwatch(timeline);
      throw error;
    }
    this.#subscriptions.set(subscriber, subscription);
    return { subscriber, done: this.#receive(subscriber, streamId) };
  }

  unsubscribe(subscriber: Subscriber): void {
    const subscription = this.#subscriptions.get(subscriber);
    if (subscription === undefined) return;
    this.#subscriptions.delete(subscriber);
    this.#moves.unwatch(subscription.timeline);
    this.#tellWishes(subscription.streamId);
    void this.#media?.unsubscribe(subscriber);
  }

  /** Tells the server that we go; does not wait long for its answer. */
  async leave(): Promise<void> {
    await this.request('disconnect', {}, { retry: false }).catch(() => undefined);
  }

  /** Ends everything; nobody is told. */
  close(): void {
    this.#closed = true;
    window.removeEventListener('online', this.#online);
    window.removeEventListener('pagehide', this.#pageHidden);
    this.#moves.close();
    this.#rejoin.close();
    this.#link?.close();
    this.#media?.close();
  }

  #event(event: SequencedEvent): void {
    if (event.event === 'transportSuspect') this.#media?.suspect();
    else if (event.event === 'transportLost') this.#transportLost();
    else if (!this.#moves.take(event)) this.#observer.event(event);
  }

  #transportLost(): void {
    if (this.#rejoin.isRunning || this.#media === undefined) return;
    this.#pathChanged(false);
    if (this.#reconnection.left('media')) this.#observer.reconnecting();
    this.#rejoin.start(this.#media.heardAtMs ?? browserPlatform.now());
  }

  /** Everything that is published and subscribed to goes on over another peer connection, under the same ids. */
  async #replaceTransport(): Promise<void> {
    this.#media?.close();
    this.#media = undefined;
    const published = [...this.#publications.values()].filter(
      (each): each is Publication & { streamId: string } => each.streamId !== undefined && !each.ended,
    );
    const publications = new Map(
      published.flatMap(({ streamId, sent }) =>
        sent === undefined ? [] : [[streamId, sent.tracks] as const],
      ),
    );
    const attached = [...this.#subscriptions].filter(([, subscription]) => subscription.attached);
    const subscriptions = new Map(
      attached.map(([subscriber, { streamId }]) => [subscriber, streamId] as const),
    );
    const restored = await this.#peer(true).restore({ publications, subscriptions });
    for (const { streamId, sent } of published) {
      const media = restored.publications.get(streamId);
      if (sent !== undefined && media !== undefined) sent.media = media;
    }
    for (const [subscriber] of attached) {
      const media = restored.subscriptions.get(subscriber);
      if (media !== undefined && this.#subscriptions.has(subscriber)) subscriber.attach(media);
    }
  }

  #transportReplaced(report: LossReport): void {
    this.#tell('lossReport', { report });
    this.#pathChanged(true);
    if (this.#reconnection.returned('media')) this.#observer.reconnected();
    this.#observer.transportReplaced(report);
  }

  #pathChanged(connected: boolean): void {
    if (this.#pathBroken === !connected) return;
    this.#pathBroken = !connected;
    this.#observer.pathChanged(connected);
  }

  /** `replaces`: its first offer says that it takes the place of another one. */
  #peer(replaces = false): MediaConnection {
    if (this.#closed) throw otError('OT_NOT_CONNECTED');
    let newTransport = replaces;
    this.#media ??= new MediaConnection(browserPlatform, rtcConfiguration(this.#options), {
      offer: async (sdp, streams) => {
        const result = await this.request('offer', {
          sdp,
          ...streams,
          ...(newTransport && { newTransport }),
        });
        newTransport = false;
        return result;
      },
      restartAnswer: (restartId, sdp) => this.request('restartAnswer', { restartId, sdp }),
      requestRestart: () => this.request('requestRestart', {}),
      pathChanged: (connected) => this.#pathChanged(connected),
      pathLost: () => this.#observer.lost(),
    });
    return this.#media;
  }

  async #send(
    publication: Publication,
    publisher: Publisher,
    local: LocalMedia,
    streamId: string,
  ): Promise<StreamMedia> {
    const cancelled = (): boolean => publication.ended || publisher.isDestroyed;
    if (cancelled()) throw otError('OT_INVALID_PARAMETER', 'Publishing was stopped.');
    const media = await this.#peer().publish(streamId, tracksOf(publisher, local));
    if (cancelled()) throw otError('OT_INVALID_PARAMETER', 'Publishing was stopped.');
    return media;
  }

  #handle(publisher: Publisher, session: unknown, streamId: string, sent: Sent): PublicationHandle {
    return {
      session,
      get media(): StreamMedia {
        return sent.media;
      },
      update: (properties) => this.#tell('updateStream', { streamId, ...properties }),
      encodeVideo: (encoding) => encodeVideo(sent, encoding),
      replaceTrack: (kind, track) => replaceTrack(sent, kind, track),
      getStats: () => this.#peer().getStats(),
      end: () => this.unpublish(publisher, 'clientDisconnected'),
    };
  }

  #endPublication(publisher: Publisher): void {
    const publication = this.#publications.get(publisher);
    if (publication === undefined) return;
    publication.ended = true;
    this.#publications.delete(publisher);
    this.#observer.publicationEnded(publisher);
    const { streamId } = publication;
    if (streamId === undefined || this.#closed) return;
    void this.#media?.unpublish(streamId);
    this.#tell('destroyStream', { streamId });
  }

  async #receive(subscriber: Subscriber, streamId: string): Promise<Subscriber> {
    const media = await this.#peer().subscribe(streamId, subscriber);
    const subscription = this.#subscriptions.get(subscriber);
    if (subscription === undefined) throw otError('OT_STREAM_NOT_FOUND');
    subscription.attached = true;
    subscriber.attach(media);
    subscriber.announceConnected(true);
    return subscriber;
  }

  #tellWishes(streamId: string): void {
    const subscriptions = [...this.#subscriptions.values()].filter((each) => each.streamId === streamId);
    const wanted = this.#wishes.change(
      streamId,
      subscriptions.map((each) => each.wanted),
    );
    if (wanted !== undefined) this.#tell('updateSubscription', { streamId, ...wanted });
  }

  /** Asks for something whose failure concerns nobody but the log. */
  #tell<T extends ClientRequestType>(type: T, body: RequestBody<T>): void {
    this.request(type, body).catch((error: unknown) => log.info(`${type} was not taken`, error));
  }
}
