import type { OfferResult, StreamMids } from '@godwit/protocol';
import { receivableVideoCodecs } from '../media/codecs.js';
import { asOTError, fromSignallingError, otError } from '../errors.js';
import { MEDIA_CONNECT_TIMEOUT_MS } from '../limits.js';
import { log } from '../log.js';
import type { Platform } from '../signalling/platform.js';
import { Negotiator } from './negotiator.js';
import type { OfferedStreams, RestartOffer } from './negotiator.js';
import { withOpusWishes } from './opusParameters.js';
import type { OpusWishes } from './opusParameters.js';
import { directionsOf } from './sdpSections.js';
import { PathRecovery } from './pathRecovery.js';
import { receivedOf, SilenceWatch } from './silenceWatch.js';
import { TransceiverPool } from './transceivers.js';
import type { Encoding } from './transceivers.js';

/** A candidate that the server announces for a move. */
export interface AnnouncedCandidate {
  candidate: string;
  sdpMid: string;
  usernameFragment: string;
}

/** What a publication sends. */
export interface PublicationTracks {
  stream: MediaStream;
  audio?: { track: MediaStreamTrack; opus: OpusWishes; encoding: Encoding };
  video?: { track: MediaStreamTrack; encoding: Encoding; codecs?: RTCRtpCodec[] };
}

/** Transceivers of one published or subscribed stream; a kind is absent where there is none or it was refused. */
export interface StreamMedia {
  readonly streamId: string;
  audio?: RTCRtpTransceiver;
  video?: RTCRtpTransceiver;
  /** Refusals of the server by kind, with the error's name. */
  refusals: { kind: 'audio' | 'video'; name: string; message: string }[];
}

/** Everything that a peer connection carried, to be taken up by the next one. */
export interface Carried {
  readonly publications: ReadonlyMap<string, PublicationTracks>;
  /** Stream by subscriber. */
  readonly subscriptions: ReadonlyMap<object, string>;
}

/** What became of it. */
export interface Restored {
  readonly publications: ReadonlyMap<string, StreamMedia>;
  readonly subscriptions: ReadonlyMap<object, StreamMedia>;
}

export interface MediaConnectionDelegate {
  offer(sdp: string, streams: OfferedStreams): Promise<OfferResult>;
  restartAnswer(restartId: string, sdp: string): Promise<unknown>;
  requestRestart(): Promise<unknown>;
  /** The media path broke or came back. */
  pathChanged(connected: boolean): void;
  /** No path could be found any more. */
  pathLost(): void;
}

const BUNDLED: RTCConfiguration = { bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' };

/**
 * The client's one RTCPeerConnection: all publications and subscriptions in one bundle.
 * The client offers; the server offers only ICE restarts.
 */
export class MediaConnection {
  readonly #platform: Platform;
  readonly #peer: RTCPeerConnection;
  readonly #pool: TransceiverPool;
  readonly #negotiator: Negotiator;
  readonly #recovery: PathRecovery;
  readonly #silence: SilenceWatch;
  readonly #publications = new Map<string, StreamMedia>();
  /** By subscriber: a page may show one stream several times. */
  readonly #subscriptions = new Map<object, StreamMedia>();
  readonly #opus = new Map<RTCRtpTransceiver, OpusWishes>();

  constructor(
    platform: Platform,
    configuration: RTCConfiguration,
    delegate: MediaConnectionDelegate,
    createPeer: (configuration: RTCConfiguration) => RTCPeerConnection = (init) =>
      new RTCPeerConnection(init),
  ) {
    this.#platform = platform;
    this.#peer = createPeer({ ...BUNDLED, ...configuration });
    this.#pool = new TransceiverPool(this.#peer);
    this.#negotiator = new Negotiator(this.#peer, {
      describe: (sdp) => this.#describe(directionsOf(sdp)),
      offer: (sdp, streams) => delegate.offer(sdp, streams),
      adapt: (sdp) => withOpusWishes(sdp, this.#opusByMid()),
      answered: (result) => this.#answered(result),
      restartAnswer: (restartId, sdp) => delegate.restartAnswer(restartId, sdp),
    });
    this.#recovery = new PathRecovery(platform, delegate);
    this.#silence = new SilenceWatch(platform, {
      received: async () => receivedOf((await this.#peer.getStats()) as ReadonlyMap<string, unknown>),
      hasMedia: () => this.#peer.getTransceivers().some(hasMedia),
      silent: () => this.#recovery.silent(),
      heard: () => this.#recovery.heard(),
    });
    this.#peer.oniceconnectionstatechange = () => this.#recovery.stateChanged(this.#peer.iceConnectionState);
  }

  /** Whether ICE has a path with consent (RFC 7675): somebody at the other end answers. */
  get isConnected(): boolean {
    return this.#peer.iceConnectionState === 'connected' || this.#peer.iceConnectionState === 'completed';
  }

  /** Sends a stream. Resolves once the server has taken it and the transport is connected. */
  async publish(streamId: string, tracks: PublicationTracks): Promise<StreamMedia> {
    const media: StreamMedia = { streamId, refusals: [] };
    this.#publications.set(streamId, media);
    try {
      await this.#addSenders(media, tracks);
      await this.#negotiator.request();
      refuseIfAllRefused(media);
      await this.#connected();
      return media;
    } catch (error) {
      void this.unpublish(streamId);
      throw asOTError(error, 'OT_PUBLISHER_WEBRTC_ERROR');
    }
  }

  /** Takes up what another peer connection carried, in one offer. Resolves once the transport is connected. */
  async restore({ publications, subscriptions }: Carried): Promise<Restored> {
    for (const [subscriber, streamId] of subscriptions) {
      const media: StreamMedia = { streamId, refusals: [] };
      this.#subscriptions.set(subscriber, media);
      this.#addReceivers(media);
    }
    for (const [streamId, tracks] of publications) {
      const media: StreamMedia = { streamId, refusals: [] };
      this.#publications.set(streamId, media);
      await this.#addSenders(media, tracks);
    }
    // An offer needs an m-line, and the server a transport in place of the lost one, even if nothing is to be carried yet.
    if (publications.size + subscriptions.size === 0) await this.#pool.release(this.#pool.receive('audio'));
    await this.#negotiator.request();
    await this.#connected();
    return { publications: this.#publications, subscriptions: this.#subscriptions };
  }

  /** The node is out of control's sight: looks whether anything still comes from it. */
  suspect(): void {
    this.#silence.start();
  }

  /** When something was last seen to come; undefined unless it is looked at since `suspect`. */
  get heardAtMs(): number | undefined {
    return this.#silence.heardAtMs;
  }

  /** Stops sending a stream. */
  async unpublish(streamId: string): Promise<void> {
    await this.#drop(this.#publications, streamId);
  }

  /** Receives a stream for `subscriber`. Resolves once the server sends it and the transport is connected. */
  async subscribe(streamId: string, subscriber: object): Promise<StreamMedia> {
    const media: StreamMedia = { streamId, refusals: [] };
    this.#subscriptions.set(subscriber, media);
    try {
      this.#addReceivers(media);
      await this.#negotiator.request();
      refuseIfAllRefused(media);
      await this.#connected();
      return media;
    } catch (error) {
      void this.unsubscribe(subscriber);
      throw asOTError(error, 'OT_SUBSCRIBER_WEBRTC_ERROR');
    }
  }

  /** Stops receiving what `subscribe` was called for with the same subscriber. */
  async unsubscribe(subscriber: object): Promise<void> {
    await this.#drop(this.#subscriptions, subscriber);
  }

  /** Tells ICE of the addresses of a moved transport; each is tried on its own. */
  async addCandidates(candidates: readonly AnnouncedCandidate[]): Promise<void> {
    for (const candidate of candidates) {
      try {
        await this.#peer.addIceCandidate(candidate);
      } catch (error) {
        log.warn('a candidate of a move was not taken', error);
      }
    }
  }

  /** Takes a server-offered ICE restart. */
  restart(offer: RestartOffer): void {
    this.#negotiator.restart(offer);
  }

  /** Takes other ICE servers; they are asked from the next restart on. @throws OTError OT_INVALID_PARAMETER */
  configure(configuration: RTCConfiguration): void {
    try {
      this.#peer.setConfiguration({ ...BUNDLED, ...configuration });
    } catch (error) {
      throw asOTError(error, 'OT_INVALID_PARAMETER');
    }
  }

  /** The network changed: ask for a restart unless the path proves healthy. */
  networkChanged(): void {
    this.#recovery.networkChanged(this.#peer.iceConnectionState);
  }

  getStats(): Promise<RTCStatsReport> {
    return this.#peer.getStats();
  }

  /** Ends everything; what waits fails. */
  close(): void {
    this.#recovery.close();
    this.#silence.close();
    this.#negotiator.close();
    this.#peer.oniceconnectionstatechange = null;
    this.#peer.close();
  }

  #addReceivers(media: StreamMedia): void {
    media.audio = this.#pool.receive('audio');
    media.video = this.#pool.receive('video');
    media.video.setCodecPreferences(receivableVideoCodecs() ?? []);
  }

  async #addSenders(media: StreamMedia, { stream, audio, video }: PublicationTracks): Promise<void> {
    if (audio !== undefined) {
      media.audio = await this.#pool.send(audio.track, stream, audio.encoding);
      this.#opus.set(media.audio, audio.opus);
    }
    if (video !== undefined) {
      media.video = await this.#pool.send(video.track, stream, video.encoding);
      media.video.setCodecPreferences(video.codecs ?? []);
    }
  }

  async #drop<Key>(streams: Map<Key, StreamMedia>, key: Key): Promise<void> {
    const media = streams.get(key);
    if (media === undefined) return;
    streams.delete(key);
    const transceivers = [media.audio, media.video].filter((each) => each !== undefined);
    for (const transceiver of transceivers) this.#opus.delete(transceiver);
    try {
      await Promise.all(transceivers.map((transceiver) => this.#pool.release(transceiver)));
      await this.#negotiator.request();
    } catch (error) {
      log.debug('not negotiated', error);
    }
  }

  #describe(directions: ReadonlyMap<string, string>): OfferedStreams {
    const offered = (streams: ReadonlyMap<unknown, StreamMedia>, direction: string): StreamMids[] =>
      [...streams.values()].filter((media) => isOffered(media, directions, direction)).map(midsOf);
    return {
      publications: offered(this.#publications, 'sendonly'),
      subscriptions: offered(this.#subscriptions, 'recvonly'),
    };
  }

  /** A refused m-line leaves its stream and returns to the pool. */
  #answered(result: OfferResult): void {
    const all = [...this.#subscriptions.values(), ...this.#publications.values()];
    for (const { mid, name, message } of result.refused) {
      const media = all.find(({ audio, video }) => audio?.mid === mid || video?.mid === mid);
      if (media === undefined) continue;
      const kind = media.audio?.mid === mid ? 'audio' : 'video';
      const transceiver = media[kind];
      delete media[kind];
      media.refusals.push({ kind, name, message });
      if (transceiver !== undefined) void this.#pool.release(transceiver);
    }
  }

  #opusByMid(): Map<string, OpusWishes> {
    return new Map([...this.#opus].flatMap(([{ mid }, wishes]) => (mid === null ? [] : [[mid, wishes]])));
  }

  #connected(): Promise<void> {
    const peer = this.#peer;
    if (peer.connectionState === 'connected') return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#platform.clearTimer(timer);
        peer.removeEventListener('connectionstatechange', check);
        settle();
      };
      const fail = (): void => end(() => reject(otError('OT_ICE_WORKFLOW_FAILED')));
      const check = (): void => {
        if (peer.connectionState === 'connected') end(resolve);
        else if (peer.connectionState === 'closed') fail();
      };
      const timer = this.#platform.setTimer(fail, MEDIA_CONNECT_TIMEOUT_MS);
      peer.addEventListener('connectionstatechange', check);
    });
  }
}

const hasMedia = ({ currentDirection }: RTCRtpTransceiver): boolean =>
  currentDirection === 'sendonly' || currentDirection === 'recvonly';

/** A transceiver that was added, or taken again, after the offer had been made is not in it as what it is now. */
function isOffered(
  { audio, video }: StreamMedia,
  directions: ReadonlyMap<string, string>,
  direction: string,
): boolean {
  const transceivers = [audio, video].filter((each) => each !== undefined);
  return (
    transceivers.length > 0 &&
    transceivers.every(({ mid }) => mid !== null && directions.get(mid) === direction)
  );
}

function midsOf({ streamId, audio, video }: StreamMedia): StreamMids {
  return {
    streamId,
    ...(typeof audio?.mid === 'string' && { audioMid: audio.mid }),
    ...(typeof video?.mid === 'string' && { videoMid: video.mid }),
  };
}

function refuseIfAllRefused({ audio, video, refusals }: StreamMedia): void {
  const [first] = refusals;
  if (audio !== undefined || video !== undefined) return;
  if (first === undefined) throw otError('OT_INTERNAL_ERROR');
  throw fromSignallingError({ code: codeOf(first.name), ...first });
}

const codeOf = (name: string): number => (name === 'OT_STREAM_NOT_FOUND' ? 1604 : 1600);
