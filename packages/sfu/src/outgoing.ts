import type { Datapath, StreamKey } from '@godwit/datapath';
import { writeRtcpCompound, type RtcpPacket } from '@godwit/rtp';
import type { StreamState } from './stream-state.js';
import { sameStream, type TransportState } from './transport-state.js';

/** Transport-cc and receiver reports of one publisher, as far as they are due. */
export function sendFeedback(nowMs: number, datapath: Datapath, transport: TransportState): void {
  if (transport.media.ingress.length === 0) return;
  const packets: RtcpPacket[] = [];
  if (transport.transportCc.isDue(nowMs)) {
    const arrivals = datapath.takeArrivals(transport.transportId);
    if (arrivals.length > 0) {
      const sources = { senderSsrc: transport.localSsrc, mediaSsrc: anyIngressSsrc(datapath, transport) };
      packets.push(...transport.transportCc.report(nowMs, arrivals, sources));
    }
  }
  if (transport.receiverReports.isDue(nowMs)) {
    const reports = transport.receiverReports.report(nowMs, datapath.ingressStatus(transport.transportId));
    if (reports.length > 0) packets.unshift({ type: 'receiverReport', ssrc: transport.localSsrc, reports });
  }
  // One datagram each: a compound of several feedback messages could outgrow the path.
  for (const packet of packets) datapath.sendRtcp(transport.transportId, writeRtcpCompound([packet]));
}

/** Asks the publisher for packets of one stream. Its numbers are the low 16 bits of the indices. */
export function sendNack(
  datapath: Datapath,
  publisher: TransportState,
  stream: StreamKey,
  indices: readonly number[],
): void {
  const mediaSsrc = ingressSsrc(datapath, publisher, stream);
  if (mediaSsrc === null) return;
  const sequences = indices.map((index) => index % 0x10000);
  const nack: RtcpPacket = { type: 'nack', senderSsrc: publisher.localSsrc, mediaSsrc, sequences };
  datapath.sendRtcp(publisher.transportId, writeRtcpCompound([nack]));
}

export function sendKeyFrameRequest(datapath: Datapath, publisher: TransportState, stream: StreamKey): void {
  const mediaSsrc = ingressSsrc(datapath, publisher, stream);
  if (mediaSsrc === null) return;
  const request: RtcpPacket = { type: 'pictureLossIndication', senderSsrc: publisher.localSsrc, mediaSsrc };
  datapath.sendRtcp(publisher.transportId, writeRtcpCompound([request]));
}

/** A sender report for every egress of this stream on the transport. */
export function sendSenderReports(datapath: Datapath, subscriber: TransportState, stream: StreamState): void {
  const { clock } = stream;
  if (clock === null || !subscriber.media.egress.some((rule) => sameStream(rule, stream.route))) return;
  for (const egress of datapath.egressStatus(subscriber.transportId, stream.route)) {
    if (egress.packets === 0) continue;
    const report: RtcpPacket = {
      type: 'senderReport',
      ssrc: egress.ssrc,
      ntp: clock.ntp,
      rtpTimestamp: (clock.rtpTimestamp + egress.timestampOffset) >>> 0,
      packetCount: egress.packets,
      octetCount: egress.octets,
      reports: [],
    };
    datapath.sendRtcp(subscriber.transportId, writeRtcpCompound([report]));
  }
}

function ingressSsrc(datapath: Datapath, publisher: TransportState, stream: StreamKey): number | null {
  const status = datapath
    .ingressStatus(publisher.transportId)
    .find((candidate) => sameStream(candidate.stream, stream));
  return status?.ssrc ?? null;
}

function anyIngressSsrc(datapath: Datapath, transport: TransportState): number {
  const known = datapath.ingressStatus(transport.transportId).find(({ ssrc }) => ssrc !== null);
  return known?.ssrc ?? 0;
}
