import type { Datapath, Exception, LinkId, StreamKey, TransportId } from '@godwit/datapath';
import type { TransportMedia } from '@godwit/protocol';
import { parseRtcpCompound, type RtcpPacket } from '@godwit/rtp';
import { SENDER_REPORT_INTERVAL_MS } from './limits.js';
import { sendFeedback, sendKeyFrameRequest, sendNack, sendSenderReports } from './outgoing.js';
import { decodePeerMessage, encodePeerMessage } from './peer-messages.js';
import { createStreamState, streamName, type RoutedStream, type StreamState } from './stream-state.js';
import {
  createTransportState,
  ingressOf,
  newlyEnabledVideo,
  type TransportState,
} from './transport-state.js';
import { StreamUsers } from './stream-users.js';
import type { FrozenTransportCc } from './transport-cc-reporter.js';

/**
 * The routing decisions of one node: repair, key frames, feedback and reports. Sans-IO: it is given the time, the
 * exceptions of the datapath and the messages of peers, and acts by the Datapath port alone.
 */
export class Router {
  readonly #datapath: Datapath;
  readonly #transports = new Map<TransportId, TransportState>();
  readonly #streams = new Map<string, StreamState>();
  readonly #users = new StreamUsers();

  constructor(datapath: Datapath) {
    this.#datapath = datapath;
  }

  // ---- what control wants

  /** Creates or updates the media of a transport. New video egresses of an active transport ask for a key frame. */
  setTransport(transportId: TransportId, localSsrc: number, media: TransportMedia): void {
    const existing = this.#transports.get(transportId);
    if (existing === undefined) {
      const transport = createTransportState(transportId, localSsrc, media);
      this.#transports.set(transportId, transport);
      this.#users.set(transport);
      return;
    }
    const added = existing.active ? newlyEnabledVideo(existing.media.egress, media.egress) : [];
    existing.media = media;
    this.#users.set(existing);
    for (const rule of added) this.#streams.get(streamName(rule))?.keyFrames.want();
  }

  removeTransport(transportId: TransportId): void {
    const transport = this.#transports.get(transportId);
    if (transport === undefined) return;
    this.#users.remove(transport);
    this.#transports.delete(transportId);
  }

  /** The handshake is over: subscribers need a first key frame. */
  activate(transportId: TransportId): void {
    const transport = this.#transports.get(transportId);
    if (transport === undefined || transport.active) return;
    transport.active = true;
    for (const rule of newlyEnabledVideo([], transport.media.egress)) {
      this.#streams.get(streamName(rule))?.keyFrames.want();
    }
  }

  setStream(route: RoutedStream): void {
    const existing = this.#streams.get(streamName(route));
    if (existing === undefined) this.#streams.set(streamName(route), createStreamState(route));
    else existing.route = route;
  }

  removeStream(stream: StreamKey): void {
    this.#streams.delete(streamName(stream));
  }

  // ---- moving

  /** Stops all feedback of the transport; the answer travels with it. */
  freeze(transportId: TransportId, nowMs: number): FrozenTransportCc | null {
    const transport = this.#transports.get(transportId);
    if (transport === undefined) return null;
    transport.active = false;
    return transport.transportCc.freeze(nowMs * 1_000);
  }

  /** Goes on where the former owner stopped; asks for no key frame. */
  thaw(transportId: TransportId, nowMs: number, frozen: FrozenTransportCc, ageMicros: number): void {
    const transport = this.#transports.get(transportId);
    if (transport === undefined) return;
    transport.transportCc.thaw(nowMs * 1_000, frozen, ageMicros);
    transport.active = true;
  }

  // ---- what happens

  handleRtcp(nowMs: number, exception: Extract<Exception, { kind: 'rtcp' }>): void {
    const transport = this.#transports.get(exception.transportId);
    if (transport?.active !== true) return;
    for (const packet of parseRtcpCompound(exception.bytes)) this.#rtcp(nowMs, transport, packet);
  }

  handleGap(nowMs: number, { stream, fromIndex, count }: Extract<Exception, { kind: 'gap' }>): void {
    const state = this.#streams.get(streamName(stream));
    if (state === undefined) return;
    state.holes.add(nowMs, fromIndex, count);
    if (!this.#repairable(state)) return;
    if (!state.nacks.add(nowMs, fromIndex, count)) state.keyFrames.want();
  }

  /** A good moment to freeze: no packet that this transport should still get has been overtaken by another. */
  isWhole(transportId: TransportId, nowMs: number): boolean {
    const egress = this.#transports.get(transportId)?.media.egress ?? [];
    return egress.every((rule) => {
      const holes = rule.enabled ? this.#streams.get(streamName(rule))?.holes : undefined;
      return holes?.isWhole(nowMs, (index) => this.#datapath.hasPacket(rule, index)) ?? true;
    });
  }

  /** A link message whose first byte is PEER_MESSAGE_CLASS. */
  handlePeerMessage(nowMs: number, linkId: LinkId, bytes: Buffer): void {
    const message = decodePeerMessage(bytes);
    if (message === null) return;
    const state = this.#streams.get(streamName(message.stream));
    if (state === undefined) return;
    switch (message.kind) {
      case 'keyFrameRequest':
        if (state.route.relayTo.includes(linkId)) state.keyFrames.want();
        return;
      case 'senderReport':
        // Of its present source alone: every report goes on to all subscribers.
        if (state.route.source.kind !== 'link' || state.route.source.linkId !== linkId) return;
        state.clock = {
          ntp: { seconds: message.ntpSeconds, fraction: message.ntpFraction },
          rtpTimestamp: message.rtpTimestamp,
        };
        this.#reportClock(nowMs, state);
        return;
    }
  }

  tick(nowMs: number): void {
    for (const state of this.#streams.values()) {
      this.#repair(nowMs, state);
      if (state.route.kind === 'video' && state.keyFrames.due(nowMs)) this.#requestKeyFrame(state);
    }
    for (const transport of this.#transports.values()) {
      if (transport.active) sendFeedback(nowMs, this.#datapath, transport);
    }
  }

  // ---- decisions

  #rtcp(nowMs: number, transport: TransportState, packet: RtcpPacket): void {
    switch (packet.type) {
      case 'nack':
        this.#answerNack(nowMs, transport, packet.mediaSsrc, packet.sequences);
        return;
      case 'pictureLossIndication':
        this.#keyFrameWish(transport, packet.mediaSsrc);
        return;
      case 'fullIntraRequest':
        for (const { ssrc } of packet.entries) this.#keyFrameWish(transport, ssrc);
        return;
      case 'senderReport':
        this.#senderReport(nowMs, transport, packet);
        return;
      // Nothing is decided by these yet: the server does not estimate a subscriber's bandwidth.
      case 'receiverReport':
      case 'sourceDescription':
      case 'goodbye':
      case 'receiverEstimatedMaxBitrate':
      case 'transportFeedback':
        return;
    }
  }

  #answerNack(nowMs: number, transport: TransportState, ssrc: number, sequences: readonly number[]): void {
    const answer = this.#datapath.retransmit(transport.transportId, ssrc, sequences);
    if (answer === null) return;
    const state = this.#streams.get(streamName(answer.stream));
    if (state === undefined || !this.#repairable(state)) return;
    // What our own cache lacks may still be found one hop up; it is forwarded when it comes.
    for (const index of answer.missing) state.nacks.add(nowMs, index, 1);
  }

  #keyFrameWish(transport: TransportState, ssrc: number): void {
    const rule = transport.media.egress.find((egress) => egress.ssrc === ssrc);
    if (rule !== undefined) this.#streams.get(streamName(rule))?.keyFrames.want();
  }

  #senderReport(
    nowMs: number,
    transport: TransportState,
    report: Extract<RtcpPacket, { type: 'senderReport' }>,
  ): void {
    const status = this.#datapath
      .ingressStatus(transport.transportId)
      .find(({ ssrc }) => ssrc === report.ssrc);
    if (status === undefined) return;
    transport.receiverReports.senderReport(nowMs, report.ssrc, report.ntp);
    const state = this.#streams.get(streamName(status.stream));
    if (state === undefined) return;
    state.clock = { ntp: report.ntp, rtpTimestamp: report.rtpTimestamp };
    if (!this.#reportClock(nowMs, state)) return;
    const message = encodePeerMessage({
      kind: 'senderReport',
      stream: state.route,
      ntpSeconds: report.ntp.seconds,
      ntpFraction: report.ntp.fraction,
      rtpTimestamp: report.rtpTimestamp,
    });
    for (const linkId of state.route.relayTo) this.#datapath.sendLinkMessage(linkId, message);
  }

  /**
   * Lip sync at our subscribers: the publisher's clock pair in each egress's own timestamps. False when the last report
   * went on a moment ago: one datagram of a publisher or peer costs one for each subscriber.
   */
  #reportClock(nowMs: number, state: StreamState): boolean {
    if (nowMs - state.clockReportedAtMs < SENDER_REPORT_INTERVAL_MS) return false;
    state.clockReportedAtMs = nowMs;
    for (const transport of this.#users.subscribers(state.route)) {
      if (transport.active) sendSenderReports(this.#datapath, transport, state);
    }
    return true;
  }

  #repairable(state: StreamState): boolean {
    if (state.route.source.kind === 'link') return true;
    const owner = this.#users.publisher(state.route);
    return owner !== undefined && ingressOf(owner.media, state.route)?.nack === true;
  }

  #repair(nowMs: number, state: StreamState): void {
    if (state.nacks.size === 0) return;
    const { route } = state;
    const due = state.nacks.due(nowMs, (index) => this.#datapath.hasPacket(route, index));
    if (due.length === 0) return;
    if (route.source.kind === 'link') {
      this.#datapath.requestRepair(route, route.source.linkId, due);
      return;
    }
    const publisher = this.#users.publisher(route);
    if (publisher?.active === true) sendNack(this.#datapath, publisher, route, due);
  }

  #requestKeyFrame(state: StreamState): void {
    const { route } = state;
    if (route.source.kind === 'link') {
      const message = encodePeerMessage({ kind: 'keyFrameRequest', stream: route });
      this.#datapath.sendLinkMessage(route.source.linkId, message);
      return;
    }
    const publisher = this.#users.publisher(route);
    if (publisher?.active === true) sendKeyFrameRequest(this.#datapath, publisher, route);
  }
}
