import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatapathHarness } from './harness.js';
import { until } from './until.js';
import {
  deliver,
  OUT_PAYLOAD_TYPE,
  OUT_RTX_PAYLOAD_TYPE,
  OUT_RTX_SSRC,
  OUT_SSRC,
  own,
  payloadOf,
  publish,
  PUBLISHER,
  room,
  RTX_PAYLOAD_TYPE,
  RTX_SSRC,
  sendMedia,
  setStream,
  sourceIndices,
  STREAM,
  subscribe,
  SUBSCRIBER,
  World,
} from './world.js';

/** Retransmission, towards the publisher, between nodes and towards the subscriber. */
export function describeRecovery(harness: DatapathHarness): void {
  describe('recovery', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    it('reports a gap and takes the publisher’s RTX in its place', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [65_535, 65_538]);
      await until('the gap is told', () => node.exceptions.some(({ kind }) => kind === 'gap'));
      expect(node.exceptions.find(({ kind }) => kind === 'gap')).toMatchObject({
        stream: STREAM,
        fromIndex: 65_536,
        count: 2,
        source: { kind: 'transport', transportId: PUBLISHER },
      });
      publisher.sendRtp(node.client, {
        index: 10,
        timestamp: 65_536 * 3_000,
        ssrc: RTX_SSRC,
        payloadType: RTX_PAYLOAD_TYPE,
        payload: Buffer.concat([Buffer.from([0, 0]), payloadOf(65_536)]),
      });
      await until('it arrives', () => sourceIndices(subscriber).length === 3);
      const recovered = subscriber.of(OUT_SSRC)[2];
      expect(recovered?.payload).toEqual(payloadOf(65_536));
      expect(recovered?.payloadType).toBe(OUT_PAYLOAD_TYPE);
      expect(recovered?.index).toBe((subscriber.of(OUT_SSRC)[0]?.index ?? 0) + 1);
      expect(node.datapath.hasPacket(STREAM, 65_536)).toBe(true);
      expect(node.datapath.hasPacket(STREAM, 65_537)).toBe(false);
    });

    it('answers by RTX and names what its cache lacks', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1, 3]);
      const [first] = subscriber.of(OUT_SSRC);
      const number = first?.sequence ?? 0;
      const unknown = (number + 1_000) & 0xffff;
      const answer = node.datapath.retransmit(SUBSCRIBER, OUT_SSRC, [number, number + 1, unknown]);
      expect(answer).toEqual({ stream: STREAM, missing: [2] });
      await until('it arrives', () => subscriber.of(OUT_RTX_SSRC).length === 1);
      const [rtx] = subscriber.of(OUT_RTX_SSRC);
      expect(rtx?.payloadType).toBe(OUT_RTX_PAYLOAD_TYPE);
      expect(rtx?.timestamp).toBe(first?.timestamp);
      expect(rtx?.payload.readUInt16BE(0)).toBe(number);
      expect(rtx?.payload.subarray(2)).toEqual(payloadOf(1));
    });

    it('says null for what it cannot retransmit', async () => {
      const { node } = await room(world);
      expect(node.datapath.retransmit(SUBSCRIBER, 0x5555, [1])).toBeNull();
      subscribe(node, { rtxSsrc: undefined });
      expect(node.datapath.retransmit(SUBSCRIBER, OUT_SSRC, [1])).toBeNull();
    });

    it('repairs a relayed stream from the other node’s cache', async () => {
      const [a, b] = [await world.node('a'), await world.node('b')];
      world.connect(a, b);
      const publisher = await world.client();
      const subscriber = await world.client();
      own(a, PUBLISHER, publisher);
      own(b, SUBSCRIBER, subscriber);
      publish(a);
      subscribe(b);
      setStream(a);
      setStream(b, { acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }] });
      sendMedia(publisher, a.client, 1);
      await until('a has it', () => a.datapath.hasPacket(STREAM, 1));
      setStream(a, { relayTo: ['b'] });
      await deliver(publisher, a.client, subscriber, [2]);
      b.datapath.requestRepair(STREAM, 'a', [1]);
      await until('b has it', () => b.datapath.hasPacket(STREAM, 1));
    });
  });
}
