import { randomInt } from 'node:crypto';
import type { ConnectResult, MediaKind, PathMethod, SequencedEvent, StreamInfo } from '@godwit/protocol';
import { Conditions } from './conditions.js';
import { readCandidate } from './descriptions.js';
import { MediaSession } from './media-session.js';
import type { MediaSource } from './media-source.js';
import { clockMs, MediaTransport } from './media-transport.js';
import { ObservedMoves, type ObservedMove } from './observed-moves.js';
import { kindsOf, PublishedMedia, type PublishOptions } from './published-media.js';
import type { ReceivedTrack } from './received-media.js';
import type { StreamReport } from './received-stream.js';
import { SignallingClient } from './signalling-client.js';
import { fallsSilent } from './silence.js';

export interface PeerOptions {
  /** Of control, http. */
  readonly url: string;
  readonly apiKey: string;
  readonly sessionId: string;
  readonly token: string;
  readonly sessionMigration?: boolean;
  /** How it wants to be told of a new address; as Chromium by default. */
  readonly pathMethod?: PathMethod;
  /** Decrypts one packet in so many and trusts the plain headers of the others; 1, every packet, by default. */
  readonly decryptOneIn?: number;
}

/**
 * A client of the platform without a browser: real signalling, ICE, DTLS and SRTP; random media at a set pace. It
 * measures what it receives: losses, copies, nonces used twice, and gaps.
 */
export class Peer {
  readonly connectionId: string;
  /** Everything that signalling said, oldest first. */
  readonly events: SequencedEvent[] = [];
  /** True once control has disconnected it, or its media path is lost. */
  isLost = false;
  /** How often it put everything on another transport because the one before died with its node. */
  rejoins = 0;
  readonly #url: string;
  readonly #decryptOneIn: number;
  readonly #resumeToken: string;
  readonly #streams = new Map<string, StreamInfo>();
  readonly #published = new PublishedMedia();
  readonly #moves = new ObservedMoves();
  readonly #conditions = new Conditions();
  readonly #ssrc = randomInt(1, 2 ** 32);
  #signalling: SignallingClient;
  #session: MediaSession;
  #subscribesToAll = false;
  #isGone = false;
  #rejoining: Promise<void> | null = null;

  private constructor(
    options: PeerOptions,
    joined: ConnectResult,
    signalling: SignallingClient,
    transport: MediaTransport,
  ) {
    this.#url = options.url;
    this.#signalling = signalling;
    signalling.lastSeq = joined.seq;
    this.connectionId = joined.connection.connectionId;
    this.#resumeToken = joined.resumeToken;
    this.#decryptOneIn = options.decryptOneIn ?? 1;
    for (const stream of joined.streams) this.#streams.set(stream.streamId, stream);
    this.#session = this.#sessionOf(transport, false);
  }

  /** Joins the session. Rejects with a RefusedRequest when control refuses. */
  static async join(options: PeerOptions): Promise<Peer> {
    let peer: Peer | null = null;
    // Events may come before the peer stands.
    const held: SequencedEvent[] = [];
    const signalling = await SignallingClient.open(options.url, {
      event: (event) => {
        if (peer === null) held.push(event);
        else peer.#event(event);
      },
      closed: () => {
        if (peer !== null) peer.#conditions.wake();
      },
    });
    const transport = await MediaTransport.open();
    try {
      const joined = await signalling.request('connect', {
        apiKey: options.apiKey,
        sessionId: options.sessionId,
        token: options.token,
        sdkVersion: 'testing-peer',
        sessionMigration: options.sessionMigration ?? true,
        pathMethod: options.pathMethod ?? 'candidate',
      });
      peer = new Peer(options, joined, signalling, transport);
      for (const event of held) peer.#event(event);
      return peer;
    } catch (error) {
      signalling.close();
      transport.close();
      throw error;
    }
  }

  /** The transport in use; another one after a rejoin. */
  get transport(): MediaTransport {
    return this.#session.transport;
  }

  /** Of its transports, oldest first. */
  get moves(): readonly ObservedMove[] {
    return this.#moves.all;
  }

  /** False while its signalling socket is broken. */
  get isSignalling(): boolean {
    return this.#signalling.isOpen;
  }

  /** Streams of others that are in the session now. */
  get streams(): readonly StreamInfo[] {
    return [...this.#streams.values()].filter(
      ({ connection }) => connection.connectionId !== this.connectionId,
    );
  }

  /** Sends a stream of random media. Resolves with its id once the transport is connected. */
  async publish(options: PublishOptions): Promise<string> {
    const kinds = kindsOf(options);
    const size = kinds.includes('video') ? { width: 640, height: 360 } : { width: 0, height: 0 };
    const { streamId } = await this.#signalling.request('createStream', {
      name: 'peer',
      hasAudio: kinds.includes('audio'),
      hasVideo: kinds.includes('video'),
      videoDimensions: size,
    });
    this.#published.add(streamId, options);
    this.#session.offerToSend(streamId, kinds);
    await this.#session.negotiate();
    this.#startSources(streamId);
    return streamId;
  }

  /** Ends a stream of this peer's. */
  async unpublish(streamId: string): Promise<void> {
    this.#published.remove(streamId);
    this.#session.negotiation.release(streamId);
    await this.#signalling.request('destroyStream', { streamId });
    await this.#session.negotiate();
  }

  /** Receives the streams named. Resolves once the transport is connected; the first packets come later. */
  async subscribe(...streamIds: readonly string[]): Promise<void> {
    for (const streamId of streamIds) {
      const info = this.#streams.get(streamId);
      if (info === undefined) throw new Error(`no stream ${streamId} in the session`);
      this.#session.offerToReceive(info);
    }
    await this.#session.negotiate();
  }

  /** Receives everything that others publish, now and later. */
  async subscribeAll(): Promise<void> {
    this.#subscribesToAll = true;
    if (this.streams.length > 0) await this.subscribe(...this.streams.map(({ streamId }) => streamId));
  }

  async unsubscribe(streamId: string): Promise<void> {
    this.#session.forget(streamId);
    await this.#session.negotiate();
  }

  /** What came of a stream, or of all: one report for each track. */
  received(streamId?: string): readonly (StreamReport & { readonly kind: MediaKind })[] {
    const nowMs = clockMs();
    return this.tracks(streamId).map(({ kind, stream }) => ({ ...stream.report(nowMs), kind }));
  }

  /** Received tracks of a stream, or of all. */
  tracks(streamId?: string): readonly ReceivedTrack[] {
    return this.#session.received.tracks(streamId);
  }

  get publishedStreamIds(): readonly string[] {
    return this.#published.streamIds;
  }

  /** The published tracks of a stream. */
  sources(streamId: string): readonly MediaSource[] {
    return this.#published.sources(streamId);
  }

  /** Resolves when the condition holds. Rejects after `timeoutMs`. */
  async until(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    await this.#conditions.until(what, condition, timeoutMs);
  }

  /** Asks control for an ICE restart, as a client does whose network has changed. */
  async requestRestart(): Promise<void> {
    await this.#signalling.request('requestRestart', {});
  }

  /** Takes the connection up again by a new signalling socket. Rejects when control has forgotten it. */
  async resume(url = this.#url): Promise<ConnectResult> {
    const { lastId, lastSeq } = this.#signalling;
    const handler = {
      event: (event: SequencedEvent) => this.#event(event),
      closed: () => this.#conditions.wake(),
    };
    this.#signalling = await SignallingClient.open(url, handler, lastId, lastSeq);
    const { connectionId } = this;
    return this.#signalling.request('resume', { connectionId, resumeToken: this.#resumeToken, lastSeq });
  }

  /** Leaves as a page does that disconnects: control ends the connection. */
  async close(): Promise<void> {
    await this.#signalling.request('disconnect', {}).catch(() => undefined);
    this.vanish();
  }

  /** Is gone without a word, as a browser that was killed. */
  vanish(): void {
    this.#isGone = true;
    this.#published.stop();
    this.#signalling.drop();
    this.#session.close();
  }

  #sessionOf(transport: MediaTransport, isReplacement: boolean): MediaSession {
    return new MediaSession({
      transport,
      isReplacement,
      decryptOneIn: this.#decryptOneIn,
      ssrc: this.#ssrc,
      published: this.#published,
      signalling: () => this.#signalling,
      selected: (nowMs) => this.#moves.selected(nowMs),
      lost: () => this.#lost(),
    });
  }

  #startSources(streamId: string): void {
    this.#published.start(streamId, this.#session.negotiation, this.#session.transport);
  }

  /** The node has died: everything goes on another transport, as a page puts it on another peer connection. */
  async #rejoin(): Promise<void> {
    const received = this.#session.negotiation.streamIds('receive');
    this.#published.stop();
    this.#session.close();
    const transport = await MediaTransport.open();
    if (this.#isGone) return transport.close();
    this.#session = this.#sessionOf(transport, true);
    const { streamIds } = this.#published;
    for (const streamId of streamIds) this.#session.offerToSend(streamId, this.#published.kinds(streamId));
    for (const streamId of received) {
      const info = this.#streams.get(streamId);
      if (info !== undefined) this.#session.offerToReceive(info);
    }
    await this.#session.negotiate();
    for (const streamId of this.#published.streamIds) this.#startSources(streamId);
    this.rejoins += 1;
    this.#conditions.wake();
  }

  // ---------------------------------------------------------------- signalling

  #event(event: SequencedEvent): void {
    this.events.push(event);
    switch (event.event) {
      case 'streamCreated':
        this.#streamCreated(event.stream);
        break;
      case 'streamDestroyed':
        this.#streams.delete(event.streamId);
        this.#session.forget(event.streamId);
        break;
      case 'moveCandidate':
        this.#moves.begin(event.moveId);
        for (const { candidate } of event.candidates) {
          for (const remote of readCandidate(candidate)) this.#session.transport.addRemote(remote);
        }
        break;
      case 'restartOffer':
        if (event.moveId !== undefined) this.#moves.begin(event.moveId);
        // Control gives a restart up that has no answer.
        this.#session.negotiation.restart(event.restartId, event.sdp).catch(() => undefined);
        break;
      case 'moveEnded':
        this.#moves.end(event);
        break;
      case 'transportSuspect':
        void this.#watchSilence();
        break;
      case 'transportLost':
        // Said again to a peer that may not have heard it.
        this.#rejoining ??= this.#rejoin()
          .catch(() => this.#lost())
          .finally(() => (this.#rejoining = null));
        break;
      case 'sessionDisconnected':
        this.#lost();
        break;
      case 'connectionCreated':
      case 'connectionDestroyed':
      case 'streamPropertyChanged':
      case 'signal':
      case 'sessionDestroyed':
      case 'streamMuteForced':
      case 'muteForced':
        break;
      default:
        event satisfies never;
    }
    this.#conditions.wake();
  }

  #streamCreated(stream: StreamInfo): void {
    this.#streams.set(stream.streamId, stream);
    const isOwn = stream.connection.connectionId === this.connectionId;
    // A stream that has ended meanwhile is refused.
    if (this.#subscribesToAll && !isOwn) this.subscribe(stream.streamId).catch(() => undefined);
  }

  /** Control has lost sight of our node: when nothing comes either, it shall help. */
  async #watchSilence(): Promise<void> {
    const { transport, negotiation } = this.#session;
    const suspect = {
      heardMs: () => transport.heardMs,
      hasMedia: () => negotiation.hasMedia,
      isOfInterest: () => !this.#isGone && transport === this.transport,
    };
    if (await fallsSilent(suspect)) await this.requestRestart().catch(() => undefined);
  }

  #lost(): void {
    this.isLost = true;
    this.#conditions.wake();
  }
}
