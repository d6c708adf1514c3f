import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeClient } from './fake-client.js';
import type { DatapathHarness } from './harness.js';
import { until } from './until.js';
import {
  deliver,
  OUT_SSRC,
  own,
  prepare,
  publish,
  PUBLISHER,
  range,
  RECEIVER_REPORT,
  room,
  sendMedia,
  setStream,
  sourceIndices,
  STREAM,
  subscribe,
  SUBSCRIBER,
  World,
  type ContractNode,
} from './world.js';

const L = 8_192;

interface Pair {
  readonly a: ContractNode;
  readonly b: ContractNode;
  readonly publisher: FakeClient;
  readonly subscriber: FakeClient;
}

/** a owns both; b has the stream and is prepared for the subscriber. */
async function subscriberAboutToMove(world: World): Promise<Pair> {
  const { node: a, publisher, subscriber } = await room(world);
  const b = await world.node('b');
  world.connect(a, b);
  setStream(a, { relayTo: ['b'] });
  setStream(b, { acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }] });
  prepare(b, SUBSCRIBER, subscriber, a);
  subscribe(b);
  return { a, b, publisher, subscriber };
}

/** Freezing, thawing, taking back: one step at a time. */
export function describeOwnership(harness: DatapathHarness): void {
  describe('ownership', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    it('encrypts nothing once frozen, and freezes once', async () => {
      const { node } = await room(world);
      node.datapath.freeze(SUBSCRIBER);
      expect(node.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT)).toBe(false);
      expect(() => node.datapath.freeze(SUBSCRIBER)).toThrow();
      node.datapath.dropKeys(SUBSCRIBER);
      expect(() => node.datapath.freeze(SUBSCRIBER)).toThrow();
      expect(() => node.datapath.unfreeze(SUBSCRIBER, L, { count: L })).toThrow();
    });

    it('keeps its own copy of keys, both ways', async () => {
      const { node, publisher, subscriber } = await room(world);
      const state = node.datapath.freeze(SUBSCRIBER);
      expect(state.keys.localKey.equals(subscriber.keys.localKey)).toBe(true);
      state.keys.localKey.fill(0);
      node.datapath.unfreeze(SUBSCRIBER, 0, { count: null });
      await deliver(publisher, node.client, subscriber, [1]);
      const copy = Buffer.from(subscriber.keys.localKey);
      subscriber.keys.localKey.fill(0);
      expect(node.datapath.freeze(SUBSCRIBER).keys.localKey.equals(copy)).toBe(true);
    });

    it('takes a publisher back with what was held meanwhile', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1]);
      node.datapath.freeze(PUBLISHER);
      for (const index of range(2, 5)) sendMedia(publisher, node.client, index);
      await until('they are held', () => node.datapath.counters()['held_packets'] === 4);
      expect(sourceIndices(subscriber)).toEqual([1]);
      node.datapath.unfreeze(PUBLISHER, L, { count: L });
      await until('they arrive', () => sourceIndices(subscriber).length === 5);
      expect(sourceIndices(subscriber)).toEqual([1, 2, 3, 4, 5]);
    });

    it('takes a subscriber back beyond the other owner’s range', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1, 2]);
      const state = node.datapath.freeze(SUBSCRIBER);
      const next = state.send.find(({ ssrc }) => ssrc === OUT_SSRC)?.nextIndex ?? -1;
      expect(next).toBe((subscriber.of(OUT_SSRC)[1]?.index ?? 0) + 1);
      node.datapath.unfreeze(SUBSCRIBER, L, { count: 2 });
      await deliver(publisher, node.client, subscriber, [3, 4]);
      expect(subscriber.of(OUT_SSRC).map(({ index }) => index - next)).toEqual([-2, -1, L, L + 1]);
      sendMedia(publisher, node.client, 5);
      await until('the guard refuses', () => node.exceptions.some(({ kind }) => kind === 'guard'));
      const skipped = ((subscriber.of(OUT_SSRC)[2]?.sequence ?? 0) - 1) & 0xffff;
      expect(node.datapath.retransmit(SUBSCRIBER, OUT_SSRC, [skipped])).toEqual({
        stream: STREAM,
        missing: [],
      });
    });

    it('stays below the ceiling until it is lifted', async () => {
      const { a, b, publisher, subscriber } = await subscriberAboutToMove(world);
      await deliver(publisher, a.client, subscriber, [1]);
      b.datapath.thaw(SUBSCRIBER, a.datapath.freeze(SUBSCRIBER), { count: 3 });
      a.datapath.dropKeys(SUBSCRIBER);
      await deliver(publisher, a.client, subscriber, [2, 3, 4]);
      sendMedia(publisher, a.client, 5);
      await until('the guard refuses', () => b.exceptions.some(({ kind }) => kind === 'guard'));
      expect(b.exceptions.find(({ kind }) => kind === 'guard')).toMatchObject({
        transportId: SUBSCRIBER,
        ssrc: OUT_SSRC,
        reason: 'aboveCeiling',
      });
      b.datapath.liftCeiling(SUBSCRIBER);
      await deliver(publisher, a.client, subscriber, [6]);
      expect(sourceIndices(subscriber)).toEqual([1, 2, 3, 4, 6]);
    });

    it('lets a sender of RTCP that the former owner never used wait for the ceiling, without an alarm', async () => {
      const { a, b } = await subscriberAboutToMove(world);
      b.datapath.thaw(SUBSCRIBER, a.datapath.freeze(SUBSCRIBER), { count: L });
      expect(b.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT)).toBe(false);
      expect(b.datapath.counters()['guard_refused']).toBe(0);
      b.datapath.liftCeiling(SUBSCRIBER);
      expect(b.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT)).toBe(true);
    });

    it('passes no limited transport on, and lets go of its keys', async () => {
      const { a, b, publisher, subscriber } = await subscriberAboutToMove(world);
      await deliver(publisher, a.client, subscriber, [1]);
      expect(() => {
        a.datapath.dropKeys(SUBSCRIBER);
      }).toThrow();
      b.datapath.thaw(SUBSCRIBER, a.datapath.freeze(SUBSCRIBER), { count: L });
      expect(() => b.datapath.freeze(SUBSCRIBER)).toThrow();
      await deliver(publisher, a.client, subscriber, [2]);
      b.datapath.dropKeys(SUBSCRIBER);
      expect(b.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT)).toBe(false);
    });

    it('leaves out what a source that was declared dead may have taken', async () => {
      const { a, b, publisher, subscriber } = await subscriberAboutToMove(world);
      await deliver(publisher, a.client, subscriber, [1]);
      const state = a.datapath.freeze(SUBSCRIBER);
      const next = state.send.find(({ ssrc }) => ssrc === OUT_SSRC)?.nextIndex ?? -1;
      b.datapath.thaw(SUBSCRIBER, state, { count: L });
      await deliver(publisher, a.client, subscriber, [2, 3]);
      b.datapath.liftCeiling(SUBSCRIBER, L);
      await deliver(publisher, a.client, subscriber, [4, 5]);
      expect(subscriber.of(OUT_SSRC).map(({ index }) => index - next)).toEqual([-1, 0, 1, 2 * L, 2 * L + 1]);
    });

    it('catches up from the cache before anything new comes', async () => {
      const { a, b, publisher, subscriber } = await subscriberAboutToMove(world);
      await deliver(publisher, a.client, subscriber, [1, 2]);
      const state = a.datapath.freeze(SUBSCRIBER);
      for (const index of range(3, 8)) sendMedia(publisher, a.client, index);
      await until('b has them', () => b.datapath.streamStatus(STREAM)?.highestIndex === 8);
      b.datapath.thaw(SUBSCRIBER, state, { count: L });
      await until('they arrive', () => sourceIndices(subscriber).length === 8);
      expect(sourceIndices(subscriber)).toEqual(range(1, 8));
      const first = subscriber.of(OUT_SSRC)[0]?.index ?? 0;
      expect(subscriber.of(OUT_SSRC).map(({ index }) => index - first)).toEqual(range(0, 7));
      expect(new Set(subscriber.received.map((packet) => transportCcOf(packet))).size).toBe(8);
    });

    it('does not send the packets of a pause when it goes on', async () => {
      const { a, b, publisher, subscriber } = await subscriberAboutToMove(world);
      await deliver(publisher, a.client, subscriber, [1, 2]);
      for (const node of [a, b]) subscribe(node, { enabled: false });
      for (const index of range(3, 5)) sendMedia(publisher, a.client, index);
      await until('b has them', () => b.datapath.streamStatus(STREAM)?.highestIndex === 5);
      subscribe(b, { enabled: true });
      b.datapath.thaw(SUBSCRIBER, a.datapath.freeze(SUBSCRIBER), { count: null });
      await deliver(publisher, a.client, subscriber, [6]);
      expect(sourceIndices(subscriber)).toEqual([1, 2, 6]);
      const [one, , three] = subscriber.of(OUT_SSRC);
      expect((three?.index ?? 0) - (one?.index ?? 0)).toBe(2);
    });

    it('thaws all or nothing', async () => {
      const { a, b, publisher, subscriber } = await subscriberAboutToMove(world);
      await deliver(publisher, a.client, subscriber, [1]);
      subscriber.sendRtcp(a.client, RECEIVER_REPORT);
      await until('it came', () => a.exceptions.some(({ kind }) => kind === 'rtcp'));
      const state = a.datapath.freeze(SUBSCRIBER);
      const [egress] = state.egress;
      if (egress === undefined) throw new Error('the state names no egress');
      const broken = [
        { ...state, receiveRtcp: state.receiveRtcp.map((space) => ({ ...space, window: Buffer.alloc(3) })) },
        { ...state, send: state.send.map((space) => ({ ...space, nextIndex: -5 })) },
        { ...state, keys: { ...state.keys, localKey: Buffer.alloc(5) } },
        { ...state, egress: [{ ...egress, mappings: [] }] },
        { ...state, egress: [egress, egress] },
      ];
      for (const bad of broken) {
        expect(() => b.datapath.thaw(SUBSCRIBER, bad, { count: L })).toThrow();
        expect(b.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT)).toBe(false);
        expect(b.datapath.egressStatus(SUBSCRIBER)[0]).toMatchObject({ packets: 0, lastSourceIndex: null });
      }
      b.datapath.thaw(SUBSCRIBER, state, { count: L });
      await deliver(publisher, a.client, subscriber, [2]);
      expect(() => b.datapath.thaw(SUBSCRIBER, state, { count: L })).toThrow();
    });

    it('bounces what crosses the transfer, once', async () => {
      const { node: a, publisher, subscriber } = await room(world);
      const b = await world.node('b');
      world.connect(a, b);
      setStream(a, { relayTo: ['b'], acceptFrom: [{ linkId: 'b', ingressEpoch: 2 }] });
      setStream(b, { ingressEpoch: 2, relayTo: ['a'], acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }] });
      prepare(b, PUBLISHER, publisher, a);
      publish(b);
      await deliver(publisher, b.client, subscriber, [1]);
      const state = a.datapath.freeze(PUBLISHER);
      a.datapath.setInbound(PUBLISHER, { kind: 'forward', linkId: 'b' });
      sendMedia(publisher, b.client, 2);
      await until('it came back', () => b.datapath.counters()['held_packets'] === 1);
      b.datapath.thaw(PUBLISHER, state, { count: L });
      a.datapath.dropKeys(PUBLISHER);
      await until('it arrives', () => sourceIndices(subscriber).includes(2));
      sendMedia(publisher, a.client, 3);
      await until('the old path still serves', () => sourceIndices(subscriber).includes(3));
      expect(sourceIndices(subscriber)).toEqual([1, 2, 3]);
    });

    it.each([1e15, -1e15, 1e300, Number.NaN])(
      'takes no arrival time from a clock that is off by %d µs',
      async (offset) => {
        const { node: a, publisher, subscriber } = await room(world);
        const b = await world.node('b');
        world.connect(a, b);
        prepare(b, PUBLISHER, publisher, a);
        a.datapath.setLinkClock('b', offset);
        await deliver(publisher, b.client, subscriber, [1]);
        const relayedAtMs = a.datapath.streamStatus(STREAM)?.lastFedAtMs ?? Number.NaN;
        await deliver(publisher, a.client, subscriber, [2]);
        const directAtMs = a.datapath.streamStatus(STREAM)?.lastFedAtMs ?? Number.NaN;
        expect(Math.abs(directAtMs - relayedAtMs)).toBeLessThan(60_000);
      },
    );

    it('proves the path by which an authenticated packet came', async () => {
      const { node: a, publisher, subscriber } = await room(world);
      const b = await world.node('b');
      world.connect(a, b);
      await deliver(publisher, a.client, subscriber, [1]);
      const proofs = () => a.exceptions.filter(({ kind }) => kind === 'proof');
      await until('the first proof', () => proofs().length === 1);
      a.datapath.watchProof(PUBLISHER, { kind: 'link', linkId: 'b' });
      prepare(b, PUBLISHER, publisher, a);
      publisher.sendRaw(b.client, publisher.lastSent);
      await deliver(publisher, a.client, subscriber, [2]);
      expect(proofs()).toHaveLength(1);
      await deliver(publisher, b.client, subscriber, [3, 4]);
      expect(proofs()[1]).toMatchObject({ transportId: PUBLISHER, via: { kind: 'link', linkId: 'b' } });
      expect(proofs()).toHaveLength(2);
    });

    it('forgets a transport as a whole', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1]);
      node.datapath.removeTransport(SUBSCRIBER);
      expect(node.datapath.hasTransport(SUBSCRIBER)).toBe(false);
      expect(() => node.datapath.setPaths(SUBSCRIBER, [])).toThrow();
      own(node, SUBSCRIBER, await world.client());
      sendMedia(publisher, node.client, 2);
      await until('it came', () => node.datapath.streamStatus(STREAM)?.highestIndex === 2);
      expect(sourceIndices(subscriber)).toEqual([1]);
    });
  });
}

function transportCcOf(packet: { extensions: readonly { id: number; data: Buffer }[] }): number {
  return packet.extensions.find(({ id }) => id === 2)?.data.readUInt16BE(0) ?? -1;
}
