import type {
  ClientRequestType,
  ClientResult,
  ConnectResult,
  GapReport,
  SequencedEvent,
} from '@godwit/protocol';
import { MediaConnection } from '../connection/mediaConnection.js';
import type { StreamMedia } from '../connection/mediaConnection.js';
import { detectPathMethod } from '../connection/pathMethod.js';
import { otError } from '../errors.js';
import type { FrameTimeline } from '../gap/frameTimeline.js';
import { log } from '../log.js';
import { videoCodecPreferences } from '../media/codecs.js';
import type { LocalMedia } from '../media/sources.js';
import type { Publisher } from '../publisher/publisher.js';
import { SignallingLink } from '../signalling/link.js';
import type { LinkObserver } from '../signalling/link.js';
import { browserPlatform } from '../signalling/platform.js';
import type { RequestBody } from '../signalling/requests.js';
import { signallingUrl, tokenUrl } from '../signalling/url.js';
import { Subscriber } from '../subscriber/subscriber.js';
import type { SubscriberProperties } from '../subscriber/subscriber.js';
import { SDK_VERSION } from '../version.js';
import type { WidgetTarget } from '../view/widget.js';
import { Moves } from './moves.js';
import { rtcConfiguration } from './options.js';
import type { SessionOptions } from './options.js';
import type { Connection, Stream } from './stream.js';
import { Wishes } from './wishes.js';
import type { Wanted } from './wishes.js';

export interface SessionCallObserver extends LinkObserver {
  pathChanged(connected: boolean): void;
  /** A publisher is no longer published, for whatever reason. */
  publicationEnded(publisher: Publisher): void;
  migrationStarted(moveId: string): void;
  migrationMeasured(report: GapReport): void;
}

interface Publication {
  streamId: string | undefined;
  /** Set when it was ended while it was still being set up. */
  ended: boolean;
}

interface Subscription {
  streamId: string;
  timeline: FrameTimeline;
  wanted: Wanted;
}

/** One stay in a session, from connect to disconnect: signalling, the peer connection, and what runs over it. */
export class SessionCall {
  readonly #options: SessionOptions;
  readonly #observer: SessionCallObserver;
  readonly #publications = new Map<Publisher, Publication>();
  readonly #subscriptions = new Map<Subscriber, Subscription>();
  readonly #wishes = new Wishes();
  readonly #moves: Moves;
  readonly #online: () => void;
  readonly #pageHidden: (event: PageTransitionEvent) => void;
  #link: SignallingLink | undefined;
  #media: MediaConnection | undefined;
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
      reconnecting: () => this.#observer.reconnecting(),
      reconnected: (roster) => this.#observer.reconnected(roster),
      lost: () => this.#observer.lost(),
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
      publisher.began(stream, this.#handle(publisher, session, streamId, media));
      publisher.announce();
    } catch (error) {
      this.#endPublication(publisher);
      throw error;
    }
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
    const subscription: Subscription = { streamId, timeline, wanted: { audio, video } };
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
    this.#link?.close();
    this.#media?.close();
  }

  #event(event: SequencedEvent): void {
    if (!this.#moves.take(event)) this.#observer.event(event);
  }

  #peer(): MediaConnection {
    if (this.#closed) throw otError('OT_NOT_CONNECTED');
    this.#media ??= new MediaConnection(browserPlatform, rtcConfiguration(this.#options), {
      offer: (sdp, streams) => this.request('offer', { sdp, ...streams }),
      restartAnswer: (restartId, sdp) => this.request('restartAnswer', { restartId, sdp }),
      requestRestart: () => this.request('requestRestart', {}),
      pathChanged: (connected) => this.#observer.pathChanged(connected),
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
    const { enableDtx = false, audioBitrate, maxVideoBitrate, preferredVideoCodecs } = publisher.properties;
    const codecs = videoCodecPreferences(preferredVideoCodecs);
    const { stream, audio, video } = local;
    const media = await this.#peer().publish(streamId, {
      stream,
      ...(audio && { audio: { track: audio, dtx: enableDtx, maxBitrateBps: audioBitrate } }),
      ...(video && { video: { track: video, maxBitrateBps: maxVideoBitrate, codecs } }),
    });
    if (cancelled()) throw otError('OT_INVALID_PARAMETER', 'Publishing was stopped.');
    return media;
  }

  #handle(publisher: Publisher, session: unknown, streamId: string, media: StreamMedia) {
    return {
      session,
      media,
      update: (properties: Omit<RequestBody<'updateStream'>, 'streamId'>) =>
        this.#tell('updateStream', { streamId, ...properties }),
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
    if (!this.#subscriptions.has(subscriber)) throw otError('OT_STREAM_NOT_FOUND');
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

function streamProperties(
  publisher: Publisher,
  { audio, video, videoType }: LocalMedia,
): RequestBody<'createStream'> {
  const { name = '', initials, frameRate } = publisher.properties;
  const { width = 0, height = 0 } = video?.getSettings() ?? {};
  return {
    name,
    ...(initials !== undefined && { initials }),
    ...(frameRate !== undefined && { frameRate }),
    hasAudio: audio?.enabled ?? false,
    hasVideo: video?.enabled ?? false,
    videoDimensions: { width: Math.round(width), height: Math.round(height) },
    ...(videoType !== undefined && { videoType }),
  };
}
