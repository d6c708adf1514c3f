import { randomInt } from 'node:crypto';
import type { MediaKind, StreamInfo } from '@godwit/protocol';
import type { RtcpPacket } from '@godwit/rtp';
import type { MediaTransport } from './media-transport.js';
import { isOf, Negotiation } from './negotiation.js';
import type { Paced } from './pacer.js';
import { pacer } from './process-pacer.js';
import type { PublishedMedia } from './published-media.js';
import { ReceivedMedia } from './received-media.js';
import type { SignallingClient } from './signalling-client.js';

const REPORT_INTERVAL_MS = 1_000;
const FEEDBACK_INTERVAL_MS = 100;

export interface MediaSessionOptions {
  readonly transport: MediaTransport;
  /** The transport takes the place of one that is lost. */
  readonly isReplacement: boolean;
  readonly decryptOneIn: number;
  /** Names the peer in RTCP while it sends nothing. */
  readonly ssrc: number;
  readonly published: PublishedMedia;
  signalling(): SignallingClient;
  /** Media goes to another address. */
  selected(nowMs: number): void;
  /** Consent has expired. */
  lost(): void;
}

/** One transport of a peer and all that ends with it: what is negotiated, what is received, the reports of both. */
export class MediaSession {
  readonly transport: MediaTransport;
  readonly received: ReceivedMedia;
  readonly negotiation: Negotiation;
  readonly #options: MediaSessionOptions;
  readonly #chores: Paced[] = [];
  #isClosed = false;

  constructor(options: MediaSessionOptions) {
    const { transport, isReplacement } = options;
    const received = new ReceivedMedia(options.decryptOneIn);
    this.#options = options;
    this.transport = transport;
    this.received = received;
    transport.listen({
      rtp: (nowMs, packet, headerLength) =>
        received.take(nowMs, packet, headerLength, () => transport.unprotectRtp(packet, headerLength)),
      rtcp: (_nowMs, packets) => this.#rtcp(packets),
      selected: (nowMs) => options.selected(nowMs),
      lost: () => options.lost(),
    });
    this.negotiation = new Negotiation({
      transport,
      isReplacement,
      signalling: () => options.signalling(),
      answered: ({ kind, use }, answer) => {
        if (use.type === 'receive') received.expect(use.streamId, kind, answer);
      },
    });
  }

  offerToSend(streamId: string, kinds: readonly MediaKind[]): void {
    for (const kind of kinds) {
      this.negotiation.use(kind, 'sender', { type: 'send', streamId, ssrc: randomInt(1, 2 ** 32) });
    }
  }

  /** Once is enough. */
  offerToReceive({ streamId, hasAudio, hasVideo }: StreamInfo): void {
    if (this.negotiation.sections.some((section) => isOf(section, streamId))) return;
    if (hasAudio) this.negotiation.use('audio', 'receiver', { type: 'receive', streamId });
    if (hasVideo) this.negotiation.use('video', 'receiver', { type: 'receive', streamId });
  }

  /** Resolves once the server has answered and the transport is connected; from then on there are reports. */
  async negotiate(): Promise<void> {
    await this.negotiation.negotiate();
    if (this.#isClosed || this.#chores.length > 0) return;
    this.#chores.push(
      pacer.every(FEEDBACK_INTERVAL_MS, Math.random(), (nowMs) => this.#sendFeedback(nowMs)),
      pacer.every(REPORT_INTERVAL_MS, Math.random(), (nowMs) => this.#sendReports(nowMs)),
    );
  }

  /** Receives the stream no more. */
  forget(streamId: string): void {
    this.negotiation.release(streamId);
    this.received.forget(streamId);
  }

  close(): void {
    this.#isClosed = true;
    for (const chore of this.#chores) chore.stop();
    this.transport.close();
  }

  #rtcp(packets: readonly RtcpPacket[]): void {
    for (const packet of packets) {
      if (packet.type === 'pictureLossIndication') this.#options.published.requestKeyFrame(packet.mediaSsrc);
    }
  }

  #sendFeedback(nowMs: number): void {
    const messages = this.received.feedback(nowMs, this.#options.ssrc);
    if (messages.length > 0) this.transport.sendRtcp(messages);
  }

  #sendReports(nowMs: number): void {
    const sources = this.#options.published.sources();
    const packets: RtcpPacket[] = sources.map((source) => source.senderReport(nowMs, Date.now()));
    const reports = this.received.reportBlocks(nowMs);
    packets.push({ type: 'receiverReport', ssrc: sources[0]?.ssrc ?? this.#options.ssrc, reports });
    this.transport.sendRtcp(packets);
  }
}
