import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomSrtpKeys } from './fake-client.js';
import type { DatapathHarness } from './harness.js';
import { until } from './until.js';
import {
  deliver,
  MEDIA_SSRC,
  OUT_PAYLOAD_TYPE,
  OUT_SSRC,
  own,
  PAYLOAD_TYPE,
  payloadOf,
  publish,
  PUBLISHER,
  range,
  RECEIVER_REPORT,
  room,
  sendMedia,
  setStream,
  sourceIndices,
  subscribe,
  SUBSCRIBER,
  World,
} from './world.js';

/** From one publisher to a subscriber on the same node. */
export function describeForwarding(harness: DatapathHarness): void {
  describe('forwarding', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    it('rewrites numbers and keeps marker, payload and distances', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, range(65_530, 65_542));
      const got = subscriber.of(OUT_SSRC);
      expect(got.map((packet) => packet.payloadType)).toEqual(got.map(() => OUT_PAYLOAD_TYPE));
      const first = got[0];
      expect(first?.index).toBeGreaterThan(0);
      expect(first?.index).toBeLessThan(0x8000);
      got.forEach((packet, at) => {
        expect(packet.payload).toEqual(payloadOf(65_530 + at));
        expect(packet.index - (first?.index ?? 0)).toBe(at);
        expect((packet.timestamp - (first?.timestamp ?? 0)) >>> 0).toBe(at * 3_000);
      });
    });

    it('writes its own extensions and passes mapped ones', async () => {
      const { node, publisher, subscriber } = await room(world);
      subscribe(node, { extensions: [{ from: 9, to: 12 }] });
      for (const index of [1, 2]) {
        publisher.sendRtp(node.client, {
          index,
          timestamp: 0,
          ssrc: MEDIA_SSRC,
          payloadType: PAYLOAD_TYPE,
          marker: true,
          payload: payloadOf(index),
          extensions: [
            { id: 9, data: Buffer.from('mapped') },
            { id: 10, data: Buffer.from('not mapped') },
          ],
        });
      }
      await until('both arrive', () => subscriber.of(OUT_SSRC).length === 2);
      const [one, two] = subscriber.of(OUT_SSRC);
      const extension = (packet: typeof one, id: number) =>
        packet?.extensions.find((other) => other.id === id)?.data;
      expect(one?.marker).toBe(true);
      expect(extension(one, 12)).toEqual(Buffer.from('mapped'));
      expect(one?.extensions.map(({ id }) => id).sort()).toEqual([12, 2, 3]);
      expect(extension(two, 2)?.readUInt16BE(0)).toBe((extension(one, 2)?.readUInt16BE(0) ?? 0) + 1);
      expect(extension(one, 3)).toHaveLength(3);
    });

    it.each(['AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const)('serves %s', async (profile) => {
      const node = await world.node('a');
      const publisher = await world.client(randomSrtpKeys(profile));
      const subscriber = await world.client(randomSrtpKeys(profile));
      own(node, PUBLISHER, publisher);
      own(node, SUBSCRIBER, subscriber);
      setStream(node);
      publish(node);
      subscribe(node);
      await deliver(publisher, node.client, subscriber, [1, 2, 3]);
      expect(sourceIndices(subscriber)).toEqual([1, 2, 3]);
    });

    it('drops what comes from an address that is not bound, and what was seen before', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1]);
      const replay = publisher.lastSent;
      const stranger = await world.client(publisher.keys);
      sendMedia(stranger, node.client, 2);
      publisher.sendRaw(node.client, replay);
      await deliver(publisher, node.client, subscriber, [3]);
      expect(sourceIndices(subscriber)).toEqual([1, 3]);
      expect(subscriber.copies).toBe(0);
    });

    it('drops what fails authentication', async () => {
      const { node, publisher, subscriber } = await room(world);
      const liar = await world.client();
      node.datapath.bindRemote(PUBLISHER, node.client.handle, liar.remote);
      sendMedia(liar, node.client, 1);
      await deliver(publisher, node.client, subscriber, [2]);
      expect(sourceIndices(subscriber)).toEqual([2]);
    });

    it('hands up handshakes, RTCP, the first proof and unknown SSRCs with the generation', async () => {
      const { node, publisher } = await room(world);
      const stun = Buffer.from('000100002112a442000000000000000000000000', 'hex');
      publisher.sendRaw(node.client, stun);
      publisher.sendRaw(node.client, Buffer.from('16fefd00000000', 'hex'));
      publisher.sendRtcp(node.client, RECEIVER_REPORT);
      publisher.sendRtp(node.client, {
        index: 1,
        timestamp: 0,
        ssrc: 0x9999,
        payloadType: 50,
        payload: payloadOf(1),
      });
      const find = <K extends string>(kind: K) =>
        node.exceptions.find((exception) => exception.kind === kind);
      await until('the unknown SSRC is told', () => find('unknownSsrc') !== undefined);
      expect(find('stun')).toMatchObject({
        socket: node.client.handle,
        remote: publisher.remote,
        bytes: stun,
      });
      expect(find('dtls')).toMatchObject({ transportId: PUBLISHER });
      expect(find('rtcp')).toMatchObject({ transportId: PUBLISHER, generation: 7, bytes: RECEIVER_REPORT });
      expect(find('proof')).toMatchObject({ transportId: PUBLISHER, via: { kind: 'socket' } });
      expect(find('unknownSsrc')).toMatchObject({ ssrc: 0x9999, payloadType: 50, generation: 7 });
      expect(node.exceptions.filter(({ kind }) => kind === 'proof')).toHaveLength(1);
    });

    it('learns an SSRC that was not signalled by mid and payload type', async () => {
      const { node, publisher, subscriber } = await room(world);
      node.datapath.setMedia(PUBLISHER, { generation: 7, ingress: [], egress: [] });
      publish(node, { ssrc: undefined, rtxSsrc: undefined });
      const send = (index: number, extensions: { id: number; data: Buffer }[]) =>
        publisher.sendRtp(node.client, {
          index,
          timestamp: 0,
          ssrc: 0x7777,
          payloadType: PAYLOAD_TYPE,
          payload: payloadOf(index),
          extensions,
        });
      send(1, [{ id: 4, data: Buffer.from('5') }]);
      send(2, [{ id: 4, data: Buffer.from('0') }]);
      send(3, []);
      await until('the packets arrive', () => sourceIndices(subscriber).includes(3));
      expect(sourceIndices(subscriber)).toEqual([2, 3]);
      expect(node.datapath.ingressStatus(PUBLISHER)[0]?.ssrc).toBe(0x7777);
    });

    it('reports arrivals of transport-wide numbers once', async () => {
      const { node, publisher, subscriber } = await room(world);
      for (const index of [1, 2]) {
        publisher.sendRtp(node.client, {
          index,
          timestamp: 0,
          ssrc: MEDIA_SSRC,
          payloadType: PAYLOAD_TYPE,
          payload: payloadOf(index),
          extensions: [{ id: 5, data: Buffer.from([0xff, 0xfd + index]) }],
        });
      }
      await until('both arrive', () => sourceIndices(subscriber).length === 2);
      const arrivals = node.datapath.takeArrivals(PUBLISHER);
      expect(arrivals.map(({ sequence }) => sequence)).toEqual([0xfffe, 0xffff]);
      expect(arrivals[1]?.atMicros).toBeGreaterThanOrEqual(arrivals[0]?.atMicros ?? Infinity);
      expect(node.datapath.takeArrivals(PUBLISHER)).toEqual([]);
    });

    it('protects and sends RTCP, and says so when it cannot', async () => {
      const { node, subscriber } = await room(world);
      expect(node.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT)).toBe(true);
      await until('it arrives', () => subscriber.rtcp.length === 1);
      expect(subscriber.rtcp[0]).toEqual(RECEIVER_REPORT);
      node.datapath.setPaths(SUBSCRIBER, []);
      expect(node.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT)).toBe(false);
    });
  });
}
