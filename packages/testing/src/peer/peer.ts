import { randomInt } from 'node:crypto';
import type {
  ConnectResult,
  MediaKind,
  MoveOutcome,
  PathMethod,
  SequencedEvent,
  StreamInfo,
} from '@godwit/protocol';
import type { RtcpPacket } from '@godwit/rtp';
import { readCandidate } from './descriptions.js';
import { MediaSource, type AudioOptions, type VideoOptions } from './media-source.js';
import { clockMs, MediaTransport } from './media-transport.js';
import { isOf, Negotiation } from './negotiation.js';
import { Pacer, type Paced } from './pacer.js';
import { ReceivedMedia, type ReceivedTrack } from './received-media.js';
import type { StreamReport } from './received-stream.js';
import { SignallingClient } from './signalling-client.js';

const REPORT_INTERVAL_MS = 1_000;
const FEEDBACK_INTERVAL_MS = 100;
/** As the SDK: a transport is silent after this long; it is looked at so often, and for so long after a suspicion. */
const SILENCE_MS = 1_000;
const SILENCE_SAMPLE_MS = 250;
const SUSPICION_MAX_MS = 15_000;
/** How often a condition is asked again while nothing is heard of signalling. */
const CONDITION_INTERVAL_MS = 20;

/** All peers of a process share one wheel. */
const pacer = new Pacer(clockMs);

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

export interface PublishOptions {
  readonly audio?: boolean | AudioOptions;
  readonly video?: boolean | VideoOptions;
}

/** A move of this peer's transport, as its signalling told it; times by clockMs. */
export interface ObservedMove {
  readonly moveId: string;
  readonly toldMs: number;
  /** When media went to the new address; null before. */
  selectedMs: number | null;
  endedMs: number | null;
  outcome: MoveOutcome | null;
  nodeId: string | null;
}

/**
 * A client of the platform without a browser: real signalling, ICE, DTLS and SRTP; random media at a set pace. It
 * measures what it receives: losses, copies, nonces used twice, and gaps.
 */
export class Peer {
  readonly connectionId: string;
  /** Everything that signalling said, oldest first. */
  readonly events: SequencedEvent[] = [];
  readonly moves: ObservedMove[] = [];
  /** True once control has disconnected it, or its media path is lost. */
  isLost = false;
  /** How often it put everything on another transport because the one before died with its node. */
  rejoins = 0;
  readonly #url: string;
  readonly #decryptOneIn: number;
  #transport: MediaTransport;
  readonly #resumeToken: string;
  #signalling: SignallingClient;
  readonly #streams = new Map<string, StreamInfo>();
  #negotiation: Negotiation;
  #media: ReceivedMedia;
  readonly #published = new Map<string, PublishOptions>();
  readonly #sources = new Map<string, MediaSource[]>();
  readonly #ssrc = randomInt(1, 2 ** 32);
  readonly #chores: Paced[] = [];
  readonly #waiting = new Set<() => void>();
  #transportSequence = 0;
  #subscribesToAll = false;
  #isGone = false;

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
    this.#transport = transport;
    this.#media = new ReceivedMedia(this.#decryptOneIn);
    this.#negotiation = this.#negotiationOf(transport, this.#media, false);
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
        if (peer !== null) peer.#wake();
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
    return this.#transport;
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
    this.#published.set(streamId, options);
    this.#offerToSend(streamId, options);
    await this.#negotiate();
    this.#startSources(streamId, options);
    return streamId;
  }

  /** Ends a stream of this peer's. */
  async unpublish(streamId: string): Promise<void> {
    this.#stopSources(streamId);
    this.#published.delete(streamId);
    this.#negotiation.release(streamId);
    await this.#signalling.request('destroyStream', { streamId });
    await this.#negotiate();
  }

  /** Receives the streams named. Resolves once the transport is connected; the first packets come later. */
  async subscribe(...streamIds: readonly string[]): Promise<void> {
    for (const streamId of streamIds) {
      const info = this.#streams.get(streamId);
      if (info === undefined) throw new Error(`no stream ${streamId} in the session`);
      if (!this.#negotiation.sections.some((section) => isOf(section, streamId))) this.#offerToReceive(info);
    }
    await this.#negotiate();
  }

  /** Receives everything that others publish, now and later. */
  async subscribeAll(): Promise<void> {
    this.#subscribesToAll = true;
    if (this.streams.length > 0) await this.subscribe(...this.streams.map(({ streamId }) => streamId));
  }

  async unsubscribe(streamId: string): Promise<void> {
    this.#forget(streamId);
    await this.#negotiate();
  }

  /** What came of a stream, or of all: one report for each track. */
  received(streamId?: string): readonly (StreamReport & { readonly kind: MediaKind })[] {
    const nowMs = clockMs();
    return this.tracks(streamId).map(({ kind, stream }) => ({ ...stream.report(nowMs), kind }));
  }

  /** Received tracks of a stream, or of all. */
  tracks(streamId?: string): readonly ReceivedTrack[] {
    return this.#media.tracks(streamId);
  }

  get publishedStreamIds(): readonly string[] {
    return [...this.#published.keys()];
  }

  /** The published tracks of a stream. */
  sources(streamId: string): readonly MediaSource[] {
    return this.#sources.get(streamId) ?? [];
  }

  /** Resolves when the condition holds. Rejects after `timeoutMs`. */
  async until(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    const deadlineMs = clockMs() + timeoutMs;
    while (!condition()) {
      if (clockMs() > deadlineMs) throw new Error(`never: ${what}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, CONDITION_INTERVAL_MS);
        this.#waiting.add(wake);
      });
    }
  }

  /** Asks control for an ICE restart, as a client does whose network has changed. */
  async requestRestart(): Promise<void> {
    await this.#signalling.request('requestRestart', {});
  }

  /** Takes the connection up again by a new signalling socket. Rejects when control has forgotten it. */
  async resume(url = this.#url): Promise<ConnectResult> {
    const { lastId, lastSeq } = this.#signalling;
    const handler = { event: (event: SequencedEvent) => this.#event(event), closed: () => this.#wake() };
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
    for (const chore of this.#chores) chore.stop();
    for (const streamId of [...this.#sources.keys()]) this.#stopSources(streamId);
    this.#signalling.drop();
    this.#transport.close();
  }

  async #negotiate(): Promise<void> {
    await this.#negotiation.negotiate();
    if (this.#chores.length > 0) return;
    this.#chores.push(
      pacer.every(FEEDBACK_INTERVAL_MS, Math.random(), (nowMs) => this.#sendFeedback(nowMs)),
      pacer.every(REPORT_INTERVAL_MS, Math.random(), (nowMs) => this.#sendReports(nowMs)),
    );
  }

  #negotiationOf(transport: MediaTransport, media: ReceivedMedia, isReplacement: boolean): Negotiation {
    transport.listen({
      rtp: (nowMs, packet, headerLength) =>
        media.take(nowMs, packet, headerLength, () => transport.unprotectRtp(packet, headerLength)),
      rtcp: (_nowMs, packets) => this.#rtcp(packets),
      selected: (nowMs) => this.#selected(nowMs),
      lost: () => this.#lost(),
    });
    return new Negotiation({
      transport,
      isReplacement,
      signalling: () => this.#signalling,
      answered: ({ kind, use }, answer) => {
        if (use.type === 'receive') media.expect(use.streamId, kind, answer);
      },
    });
  }

  #offerToSend(streamId: string, options: PublishOptions): void {
    for (const kind of kindsOf(options)) {
      this.#negotiation.use(kind, 'sender', { type: 'send', streamId, ssrc: randomInt(1, 2 ** 32) });
    }
  }

  #offerToReceive({ streamId, hasAudio, hasVideo }: StreamInfo): void {
    if (hasAudio) this.#negotiation.use('audio', 'receiver', { type: 'receive', streamId });
    if (hasVideo) this.#negotiation.use('video', 'receiver', { type: 'receive', streamId });
  }

  #startSources(streamId: string, options: PublishOptions): void {
    const sources = kindsOf(options).map((kind) => {
      const answered = this.#negotiation.answer(streamId, kind);
      if (answered?.use.type !== 'send') throw new Error(`the server takes no ${kind} of the stream`);
      const pace = options[kind];
      return new MediaSource(kind, answered.use.ssrc, answered.answer, typeof pace === 'object' ? pace : {});
    });
    this.#sources.set(streamId, sources);
    for (const source of sources) {
      source.start(pacer, {
        sendRtp: (packet) => this.#transport.sendRtp(packet),
        nextTransportSequence: () => (this.#transportSequence = (this.#transportSequence + 1) % 0x10000),
      });
    }
  }

  #stopSources(streamId: string): void {
    for (const source of this.sources(streamId)) source.stop();
    this.#sources.delete(streamId);
  }

  /** The node has died: everything goes on another transport, as a page puts it on another peer connection. */
  async #rejoin(): Promise<void> {
    const received = this.#negotiation.streamIds('receive');
    for (const chore of this.#chores.splice(0)) chore.stop();
    for (const streamId of this.#published.keys()) this.#stopSources(streamId);
    this.#transport.close();
    this.#transport = await MediaTransport.open();
    if (this.#isGone) return this.#transport.close();
    this.#media = new ReceivedMedia(this.#decryptOneIn);
    this.#negotiation = this.#negotiationOf(this.#transport, this.#media, true);
    for (const [streamId, options] of this.#published) this.#offerToSend(streamId, options);
    for (const streamId of received) {
      const info = this.#streams.get(streamId);
      if (info !== undefined) this.#offerToReceive(info);
    }
    await this.#negotiate();
    for (const [streamId, options] of this.#published) this.#startSources(streamId, options);
    this.rejoins += 1;
    this.#wake();
  }

  #forget(streamId: string): void {
    this.#negotiation.release(streamId);
    this.#media.forget(streamId);
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
        this.#forget(event.streamId);
        break;
      case 'moveCandidate':
        this.#beginMove(event.moveId);
        for (const { candidate } of event.candidates) {
          for (const remote of readCandidate(candidate)) this.#transport.addRemote(remote);
        }
        break;
      case 'restartOffer':
        if (event.moveId !== undefined) this.#beginMove(event.moveId);
        // Control gives a restart up that has no answer.
        this.#negotiation.restart(event.restartId, event.sdp).catch(() => undefined);
        break;
      case 'moveEnded':
        this.#endMove(event);
        break;
      case 'transportSuspect':
        void this.#watchSilence();
        break;
      case 'transportLost':
        this.#rejoin().catch(() => this.#lost());
        break;
      case 'sessionDisconnected':
        this.#lost();
        break;
      case 'connectionCreated':
      case 'connectionDestroyed':
      case 'streamPropertyChanged':
      case 'signal':
      case 'sessionDestroyed':
        break;
      default:
        event satisfies never;
    }
    this.#wake();
  }

  #streamCreated(stream: StreamInfo): void {
    this.#streams.set(stream.streamId, stream);
    const isOwn = stream.connection.connectionId === this.connectionId;
    // A stream that has ended meanwhile is refused.
    if (this.#subscribesToAll && !isOwn) this.subscribe(stream.streamId).catch(() => undefined);
  }

  /** Control has lost sight of our node: when nothing comes either, it shall help. */
  async #watchSilence(): Promise<void> {
    const transport = this.#transport;
    const untilMs = clockMs() + SUSPICION_MAX_MS;
    while (!this.#isGone && transport === this.#transport && clockMs() < untilMs) {
      if (clockMs() - transport.heardMs > SILENCE_MS) {
        await this.requestRestart().catch(() => undefined);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, SILENCE_SAMPLE_MS));
    }
  }

  #beginMove(moveId: string): void {
    // A rehearsal names its move twice: there and back.
    if (this.moves.some((move) => move.moveId === moveId)) return;
    this.moves.push({
      moveId,
      toldMs: clockMs(),
      selectedMs: null,
      endedMs: null,
      outcome: null,
      nodeId: null,
    });
  }

  #endMove({ moveId, outcome, nodeId }: Extract<SequencedEvent, { event: 'moveEnded' }>): void {
    const move = this.moves.find((each) => each.moveId === moveId);
    if (move !== undefined) Object.assign(move, { endedMs: clockMs(), outcome, nodeId });
  }

  #selected(nowMs: number): void {
    const move = this.moves.at(-1);
    if (move !== undefined) move.selectedMs ??= nowMs;
  }

  #lost(): void {
    this.isLost = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  // ---------------------------------------------------------------- media

  #rtcp(packets: readonly RtcpPacket[]): void {
    for (const packet of packets) {
      if (packet.type !== 'pictureLossIndication') continue;
      const asked = [...this.#sources.values()].flat().find(({ ssrc }) => ssrc === packet.mediaSsrc);
      asked?.requestKeyFrame();
    }
  }

  #sendFeedback(nowMs: number): void {
    const messages = this.#media.feedback(nowMs, this.#ssrc);
    if (messages.length > 0) this.#transport.sendRtcp(messages);
  }

  #sendReports(nowMs: number): void {
    const sources = [...this.#sources.values()].flat();
    const packets: RtcpPacket[] = sources.map((source) => source.senderReport(nowMs, Date.now()));
    const reports = this.#media.reportBlocks(nowMs);
    packets.push({ type: 'receiverReport', ssrc: sources[0]?.ssrc ?? this.#ssrc, reports });
    this.#transport.sendRtcp(packets);
  }
}

function kindsOf(options: PublishOptions): MediaKind[] {
  return (['audio', 'video'] as const).filter((kind) => (options[kind] ?? false) !== false);
}
