import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StreamKey } from '../values.js';
import type { DatapathHarness } from './harness.js';
import { until } from './until.js';
import {
  deliver,
  egressRule,
  OUT_RTX_SSRC,
  OUT_SSRC,
  payloadOf,
  range,
  room,
  sendMedia,
  sourceIndices,
  STREAM,
  subscribe,
  SUBSCRIBER,
  World,
  type ContractNode,
} from './world.js';
import type { FakeClient } from './fake-client.js';

/** Packets 1..3 sent, 4..6 paused, 7..9 sent. */
async function pauseAndResume(
  node: ContractNode,
  publisher: FakeClient,
  subscriber: FakeClient,
): Promise<void> {
  await deliver(publisher, node.client, subscriber, range(1, 3));
  subscribe(node, { enabled: false });
  for (const index of range(4, 6)) sendMedia(publisher, node.client, index);
  await until('the pause is over', () => node.datapath.streamStatus(STREAM)?.highestIndex === 6);
  subscribe(node, { enabled: true });
  await deliver(publisher, node.client, subscriber, range(7, 9));
}

/** What one subscriber sees of pauses, payload types and changes of rules. */
export function describeEgress(harness: DatapathHarness): void {
  describe('egress', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    it('leaves no hole after a pause', async () => {
      const { node, publisher, subscriber } = await room(world);
      await pauseAndResume(node, publisher, subscriber);
      expect(sourceIndices(subscriber)).toEqual([1, 2, 3, 7, 8, 9]);
      const first = subscriber.of(OUT_SSRC)[0]?.index ?? 0;
      expect(subscriber.of(OUT_SSRC).map(({ index }) => index - first)).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it('drops a late packet of the pause', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1, 2]);
      subscribe(node, { enabled: false });
      sendMedia(publisher, node.client, 4);
      await until('the pause is over', () => node.datapath.streamStatus(STREAM)?.highestIndex === 4);
      subscribe(node, { enabled: true });
      await deliver(publisher, node.client, subscriber, [5]);
      sendMedia(publisher, node.client, 3);
      await deliver(publisher, node.client, subscriber, [6]);
      expect(sourceIndices(subscriber)).toEqual([1, 2, 5, 6]);
      expect(subscriber.reusedIndices).toBe(0);
    });

    it('answers a NACK on both sides of a pause', async () => {
      const { node, publisher, subscriber } = await room(world);
      await pauseAndResume(node, publisher, subscriber);
      const sent = subscriber.of(OUT_SSRC);
      const numbers = [sent[1], sent[4]].map((packet) => packet?.sequence ?? -1);
      expect(node.datapath.retransmit(SUBSCRIBER, OUT_SSRC, numbers)).toEqual({
        stream: STREAM,
        missing: [],
      });
      await until('both arrive', () => subscriber.of(OUT_RTX_SSRC).length === 2);
      const [one, two] = subscriber.of(OUT_RTX_SSRC).map(({ payload }) => payload);
      expect(one?.readUInt16BE(0)).toBe(numbers[0]);
      expect(one?.subarray(2)).toEqual(payloadOf(2));
      expect(two?.subarray(2)).toEqual(payloadOf(8));
    });

    it('drops payload types that the subscriber does not take', async () => {
      const { node, publisher, subscriber } = await room(world);
      subscribe(node, { payloadTypes: [{ from: 50, to: 60 }] });
      sendMedia(publisher, node.client, 1);
      await until('it came', () => node.datapath.streamStatus(STREAM)?.highestIndex === 1);
      subscribe(node);
      await deliver(publisher, node.client, subscriber, [2]);
      expect(sourceIndices(subscriber)).toEqual([2]);
    });

    it('goes on above the highest index when an SSRC returns', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1, 2]);
      node.datapath.setMedia(SUBSCRIBER, { generation: 9, ingress: [], egress: [] });
      subscribe(node);
      await deliver(publisher, node.client, subscriber, [3]);
      const indices = subscriber.of(OUT_SSRC).map(({ index }) => index);
      expect(indices[2]).toBe((indices[1] ?? 0) + 1);
      expect(subscriber.reusedIndices).toBe(0);
    });

    it('tells of one stream as well as of all', async () => {
      const { node } = await room(world);
      const other = { ...STREAM, encodingId: STREAM.encodingId + 1 };
      const egress = [egressRule(), egressRule({ ...other, ssrc: OUT_SSRC + 1, rtxSsrc: OUT_RTX_SSRC + 1 })];
      node.datapath.setMedia(SUBSCRIBER, { generation: 9, ingress: [], egress });
      const ssrcsOf = (stream?: StreamKey): number[] =>
        node.datapath.egressStatus(SUBSCRIBER, stream).map(({ ssrc }) => ssrc);
      expect(ssrcsOf().toSorted((a, b) => a - b)).toEqual([OUT_SSRC, OUT_SSRC + 1]);
      expect(ssrcsOf(other)).toEqual([OUT_SSRC + 1]);
      expect(ssrcsOf({ ...STREAM, encodingId: 9 })).toEqual([]);
    });

    it('refuses rules that name one SSRC twice and keeps the old ones', async () => {
      const { node, publisher, subscriber } = await room(world);
      const [status] = node.datapath.egressStatus(SUBSCRIBER);
      expect(status).toMatchObject({ ssrc: OUT_SSRC, enabled: true, lastSourceIndex: null });
      const rules = { generation: 9, ingress: [], egress: [] };
      const twice = { ...rules, egress: [ruleOf(), ruleOf()] };
      expect(() => node.datapath.setMedia(SUBSCRIBER, twice)).toThrow();
      await deliver(publisher, node.client, subscriber, [1]);
      expect(node.datapath.egressStatus(SUBSCRIBER)[0]).toMatchObject({ packets: 1, lastSourceIndex: 1 });
    });
  });
}

function ruleOf() {
  return {
    ...STREAM,
    kind: 'video' as const,
    mid: '1',
    ssrc: 5,
    clockRate: 90_000,
    payloadTypes: [],
    extensions: [],
    enabled: true,
  };
}
