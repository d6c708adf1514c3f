import { beforeEach, describe, expect, it } from 'vitest';
import type { Datapath, IngressStatus, StreamKey } from '@godwit/datapath';
import type { EgressRule, IngressRule, TransportMedia } from '@godwit/protocol';
import { parseRtcpCompound, writeRtcpCompound, type RtcpPacket } from '@godwit/rtp';
import { KEY_FRAME_REQUEST_INTERVAL_MS, SENDER_REPORT_INTERVAL_MS } from './limits.js';
import { encodePeerMessage } from './peer-messages.js';
import { Router } from './router.js';

const STREAM: StreamKey = { streamId: '00000000000000aa', encodingId: 0 };
const PUBLISHER = '1111111111111111';
const SUBSCRIBER = '2222222222222222';
const INGRESS_SSRC = 1_000;
const EGRESS_SSRC = 2_000;

const ingress: IngressRule = {
  ...STREAM,
  kind: 'video',
  mid: '0',
  ssrc: INGRESS_SSRC,
  codecs: [{ payloadType: 96, name: 'vp8', clockRate: 90_000 }],
  extensions: {},
  nack: true,
  keyFrameRequests: true,
  transportCc: true,
};
const egress: EgressRule = {
  ...STREAM,
  kind: 'video',
  mid: '0',
  ssrc: EGRESS_SSRC,
  rtxSsrc: 2_001,
  clockRate: 90_000,
  payloadTypes: [{ from: 96, to: 97, rtx: 98 }],
  extensions: [],
  enabled: true,
};
const publishing: TransportMedia = { generation: 1, ingress: [ingress], egress: [] };
const receiving: TransportMedia = { generation: 1, ingress: [], egress: [egress] };

/** Records what the router does; the few reads answer what a test sets. */
class RecordingDatapath {
  readonly sent: { transportId: string; packet: RtcpPacket }[] = [];
  readonly messages: { linkId: string; bytes: Buffer }[] = [];
  readonly repairs: { linkId: string; indices: number[] }[] = [];
  missing: number[] = [];
  ingressSsrc = INGRESS_SSRC;
  ingressStatus(transportId: string): IngressStatus[] {
    if (transportId !== PUBLISHER) return [];
    const status = { packets: 10, highestIndex: 9, jitter: 0, lost: 0, rtxSsrc: null };
    return [{ stream: STREAM, ssrc: this.ingressSsrc, ...status }];
  }
  egressStatus(transportId: string) {
    if (transportId !== SUBSCRIBER) return [];
    return [
      {
        ssrc: EGRESS_SSRC,
        stream: STREAM,
        packets: 5,
        octets: 500,
        timestampOffset: 1_000,
        lastSourceIndex: 9,
        enabled: true,
      },
    ];
  }
  takeArrivals() {
    return [];
  }
  hasPacket() {
    return false;
  }
  sendRtcp(transportId: string, compound: Uint8Array): boolean {
    for (const packet of parseRtcpCompound(compound)) this.sent.push({ transportId, packet });
    return true;
  }
  sendLinkMessage(linkId: string, bytes: Uint8Array): boolean {
    this.messages.push({ linkId, bytes: Buffer.from(bytes) });
    return true;
  }
  requestRepair(_stream: StreamKey, linkId: string, indices: readonly number[]): void {
    this.repairs.push({ linkId, indices: [...indices] });
  }
  retransmit() {
    return { stream: STREAM, missing: this.missing };
  }
  of(type: RtcpPacket['type']) {
    return this.sent.filter(({ packet }) => packet.type === type);
  }
}

function setup(source: 'local' | 'link') {
  const datapath = new RecordingDatapath();
  const router = new Router(datapath as unknown as Datapath);
  router.setStream({
    ...STREAM,
    kind: 'video',
    relayTo: source === 'local' ? ['node-b'] : [],
    source: source === 'local' ? { kind: 'local' } : { kind: 'link', linkId: 'node-a' },
  });
  if (source === 'local') {
    router.setTransport(PUBLISHER, 1, publishing);
    router.activate(PUBLISHER);
  }
  router.setTransport(SUBSCRIBER, 2, receiving);
  return { datapath, router };
}

const rtcp = (transportId: string, packet: RtcpPacket) =>
  ({ kind: 'rtcp', transportId, generation: 1, bytes: writeRtcpCompound([packet]), atMs: 0 }) as const;
const pli: RtcpPacket = { type: 'pictureLossIndication', senderSsrc: 9, mediaSsrc: EGRESS_SSRC };

describe('a router whose publisher is here', () => {
  let { datapath, router } = setup('local');
  beforeEach(() => {
    ({ datapath, router } = setup('local'));
  });

  it('asks for a key frame when a subscriber is ready, and not before', () => {
    router.tick(0);
    expect(datapath.of('pictureLossIndication')).toHaveLength(0);
    router.activate(SUBSCRIBER);
    router.tick(10);
    expect(datapath.of('pictureLossIndication')).toEqual([
      {
        transportId: PUBLISHER,
        packet: { type: 'pictureLossIndication', senderSsrc: 1, mediaSsrc: INGRESS_SSRC },
      },
    ]);
  });

  it('merges the wishes of many subscribers into one request an interval, and forgets none', () => {
    router.activate(SUBSCRIBER);
    router.tick(0);
    for (let wish = 0; wish < 20; wish++) router.handleRtcp(wish, rtcp(SUBSCRIBER, pli));
    router.tick(KEY_FRAME_REQUEST_INTERVAL_MS - 1);
    expect(datapath.of('pictureLossIndication')).toHaveLength(1);
    router.tick(KEY_FRAME_REQUEST_INTERVAL_MS);
    expect(datapath.of('pictureLossIndication')).toHaveLength(2);
  });

  it('takes the key-frame wish of a node that it relays to, and of no other', () => {
    const wish = encodePeerMessage({ kind: 'keyFrameRequest', stream: STREAM });
    router.handlePeerMessage(0, 'node-x', wish);
    router.tick(0);
    expect(datapath.of('pictureLossIndication')).toHaveLength(0);
    router.handlePeerMessage(0, 'node-b', wish);
    router.tick(0);
    expect(datapath.of('pictureLossIndication')).toHaveLength(1);
  });

  it('asks the publisher for what is missing, in the publisher numbers', () => {
    const source = { kind: 'transport', transportId: PUBLISHER } as const;
    router.handleGap(0, { kind: 'gap', stream: STREAM, fromIndex: 65_535, count: 2, source, atMs: 0 });
    router.tick(10);
    expect(datapath.of('nack').map(({ packet }) => packet)).toEqual([
      { type: 'nack', senderSsrc: 1, mediaSsrc: INGRESS_SSRC, sequences: [65_535, 0] },
    ]);
  });

  it('gives the publisher clock to its subscribers in their own timestamps and to the nodes it relays to', () => {
    router.activate(SUBSCRIBER);
    router.handleRtcp(
      0,
      rtcp(PUBLISHER, {
        type: 'senderReport',
        ssrc: INGRESS_SSRC,
        ntp: { seconds: 10, fraction: 20 },
        rtpTimestamp: 0xffffffff,
        packetCount: 1,
        octetCount: 1,
        reports: [],
      }),
    );
    expect(datapath.of('senderReport')).toEqual([
      {
        transportId: SUBSCRIBER,
        packet: expect.objectContaining({
          ssrc: EGRESS_SSRC,
          rtpTimestamp: 999,
          ntp: { seconds: 10, fraction: 20 },
        }) as unknown,
      },
    ]);
    expect(datapath.messages.map(({ linkId }) => linkId)).toEqual(['node-b']);
  });

  it('remembers no sender report of an SSRC that carries no stream: a client may invent any number', () => {
    const inventedSsrc = 5;
    const report: RtcpPacket = {
      type: 'senderReport',
      ssrc: inventedSsrc,
      ntp: { seconds: 77, fraction: 0 },
      rtpTimestamp: 0,
      packetCount: 1,
      octetCount: 1,
      reports: [],
    };
    router.handleRtcp(0, rtcp(PUBLISHER, report));
    datapath.ingressSsrc = inventedSsrc;
    router.tick(10);
    const blocks = datapath
      .of('receiverReport')
      .flatMap(({ packet }) => (packet.type === 'receiverReport' ? packet.reports : []));
    expect(blocks).toMatchObject([{ ssrc: inventedSsrc, lastSenderReport: 0 }]);
  });

  it('says nothing for a transport that is frozen, and goes on after thaw without a key frame', () => {
    router.activate(SUBSCRIBER);
    router.tick(0);
    const frozen = router.freeze(SUBSCRIBER, 0);
    router.handleRtcp(10, rtcp(SUBSCRIBER, pli));
    router.tick(10_000);
    expect(datapath.of('pictureLossIndication')).toHaveLength(1);
    if (frozen === null) throw new Error('no state');
    router.thaw(SUBSCRIBER, 10_001, frozen, 0);
    router.tick(20_000);
    expect(datapath.of('pictureLossIndication')).toHaveLength(1);
  });
});

describe('a router whose publisher is at another node', () => {
  it('takes the publisher clock from the node above alone, and passes on no storm of it', () => {
    const { datapath, router } = setup('link');
    router.activate(SUBSCRIBER);
    const clock = (ntpSeconds: number) =>
      encodePeerMessage({
        kind: 'senderReport',
        stream: STREAM,
        ntpSeconds,
        ntpFraction: 0,
        rtpTimestamp: 1,
      });
    router.handlePeerMessage(0, 'node-x', clock(66));
    expect(datapath.of('senderReport')).toEqual([]);
    for (let count = 0; count < 500; count += 1) router.handlePeerMessage(count / 10, 'node-a', clock(count));
    expect(datapath.of('senderReport')).toHaveLength(1);
    router.handlePeerMessage(SENDER_REPORT_INTERVAL_MS, 'node-a', clock(501));
    expect(datapath.of('senderReport')).toHaveLength(2);
  });

  it('sends key-frame wishes one hop up', () => {
    const { datapath, router } = setup('link');
    router.activate(SUBSCRIBER);
    router.tick(0);
    expect(datapath.messages).toEqual([
      { linkId: 'node-a', bytes: encodePeerMessage({ kind: 'keyFrameRequest', stream: STREAM }) },
    ]);
  });

  it('repairs from the cache of the node above, also what a subscriber missed and our cache lacks', () => {
    const { datapath, router } = setup('link');
    router.activate(SUBSCRIBER);
    datapath.missing = [77];
    router.handleRtcp(
      0,
      rtcp(SUBSCRIBER, { type: 'nack', senderSsrc: 9, mediaSsrc: EGRESS_SSRC, sequences: [5] }),
    );
    router.tick(10);
    expect(datapath.repairs).toEqual([{ linkId: 'node-a', indices: [77] }]);
  });
});
