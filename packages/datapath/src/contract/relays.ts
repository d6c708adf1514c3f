import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LINK_MESSAGE_BYTES_MAX } from '../limits.js';
import type { FakeClient } from './fake-client.js';
import type { DatapathHarness } from './harness.js';
import { until } from './until.js';
import {
  deliver,
  own,
  prepare,
  publish,
  PUBLISHER,
  range,
  sendMedia,
  setStream,
  sourceIndices,
  STREAM,
  subscribe,
  SUBSCRIBER,
  World,
  type ContractNode,
} from './world.js';

interface Relayed {
  readonly a: ContractNode;
  readonly b: ContractNode;
  readonly publisher: FakeClient;
  readonly subscriber: FakeClient;
}

/** The publisher on a, the subscriber on b. */
async function relayedRoom(world: World): Promise<Relayed> {
  const [a, b] = [await world.node('a'), await world.node('b')];
  world.connect(a, b);
  const publisher = await world.client();
  const subscriber = await world.client();
  own(a, PUBLISHER, publisher);
  own(b, SUBSCRIBER, subscriber);
  publish(a);
  subscribe(b);
  setStream(a, { relayTo: ['b'] });
  setStream(b, { acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }] });
  return { a, b, publisher, subscriber };
}

/** Streams and messages between nodes. */
export function describeRelays(harness: DatapathHarness): void {
  describe('relays', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    it('serves a subscriber on another node', async () => {
      const { a, publisher, subscriber } = await relayedRoom(world);
      await deliver(publisher, a.client, subscriber, range(1, 5));
      expect(sourceIndices(subscriber)).toEqual([1, 2, 3, 4, 5]);
    });

    it('sends each packet once when two ingress epochs feed a stream', async () => {
      const { a, b, publisher, subscriber } = await relayedRoom(world);
      await deliver(publisher, a.client, subscriber, range(1, 5));
      const both = [1, 2].map((ingressEpoch) => ({ linkId: 'a', ingressEpoch }));
      setStream(b, { acceptFrom: both });
      setStream(a, { relayTo: ['b'], ingressEpoch: 2 });
      b.datapath.requestRepair(STREAM, 'a', range(1, 5));
      await deliver(publisher, a.client, subscriber, [6]);
      expect(sourceIndices(subscriber)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(subscriber.copies + subscriber.reusedIndices).toBe(0);
    });

    it('takes frames of accepted links and epochs only', async () => {
      const { a, b, publisher, subscriber } = await relayedRoom(world);
      setStream(a, { relayTo: ['b'], ingressEpoch: 3 });
      sendMedia(publisher, a.client, 1);
      await until('a has it', () => a.datapath.hasPacket(STREAM, 1));
      setStream(a, { relayTo: ['b'], ingressEpoch: 1 });
      await deliver(publisher, a.client, subscriber, [2]);
      expect(b.datapath.hasPacket(STREAM, 1)).toBe(false);
    });

    it('never relays on what came by a link', async () => {
      const { a, b, publisher, subscriber } = await relayedRoom(world);
      setStream(b, { acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }], relayTo: ['a'] });
      setStream(a, { relayTo: ['b'], acceptFrom: [{ linkId: 'b', ingressEpoch: 1 }] });
      await deliver(publisher, a.client, subscriber, range(1, 5));
      expect(a.datapath.streamStatus(STREAM)?.packets).toBe(5);
      expect(b.datapath.counters()['relay_sent']).toBe(0);
    });

    it('carries messages and drops frames that the peer did not seal', async () => {
      const { a, b, publisher } = await relayedRoom(world);
      publisher.sendRaw(b.link, Buffer.alloc(60, 1));
      const message = Buffer.alloc(LINK_MESSAGE_BYTES_MAX, 7);
      expect(a.datapath.sendLinkMessage('b', message)).toBe(true);
      expect(a.datapath.sendLinkMessage('nobody', message)).toBe(false);
      await until('it arrives', () => b.exceptions.some(({ kind }) => kind === 'linkMessage'));
      expect(b.exceptions.filter(({ kind }) => kind === 'linkMessage')).toMatchObject([
        { linkId: 'a', bytes: message },
      ]);
    });

    it('takes no index that the publisher cannot have reached: what follows would all be stale', async () => {
      const { a, b, publisher, subscriber } = await relayedRoom(world);
      const c = await world.node('c');
      world.connect(c, b);
      const liar = await world.client();
      own(c, PUBLISHER, liar);
      publish(c);
      await deliver(publisher, a.client, subscriber, range(1, 3));
      const both = ['a', 'c'].map((linkId) => ({ linkId, ingressEpoch: 1 }));
      setStream(b, { acceptFrom: both });
      setStream(c, { relayTo: ['b'] });
      sendMedia(liar, c.client, 4);
      await until('it speaks for the stream', () => b.datapath.hasPacket(STREAM, 4));
      const state = c.datapath.freeze(PUBLISHER);
      c.datapath.removeTransport(PUBLISHER);
      prepare(c, PUBLISHER, liar, b);
      publish(c);
      const receive = state.receive.map((space) => ({ ...space, highestIndex: 2 ** 31 }));
      c.datapath.thaw(PUBLISHER, { ...state, receive }, { count: null });
      sendMedia(liar, c.client, 2 ** 31 + 1);
      await until('it has said so', () => (c.datapath.counters()['relay_sent'] ?? 0) === 2);
      await deliver(publisher, a.client, subscriber, range(5, 8));
      expect(b.datapath.streamStatus(STREAM)?.highestIndex).toBe(8);
    });

    it('repairs for nodes to which it relays or just did, and not without end', async () => {
      const { a, b, publisher, subscriber } = await relayedRoom(world);
      const c = await world.node('c');
      world.connect(a, c);
      setStream(c, { acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }] });
      await deliver(publisher, a.client, subscriber, range(1, 128));
      const answered = () => a.datapath.counters()['repairs_answered'] ?? 0;
      c.datapath.requestRepair(STREAM, 'a', range(1, 128));
      setStream(a, { relayTo: [] });
      b.datapath.requestRepair(STREAM, 'a', range(1, 128));
      await until('the former consumer is answered', () => answered() === 128);
      expect(c.datapath.streamStatus(STREAM)?.packets).toBe(0);
      setStream(a, { relayTo: ['b'] });
      for (let count = 0; count < 200; count += 1) b.datapath.requestRepair(STREAM, 'a', range(1, 128));
      await until('the rest is left out', () => (a.datapath.counters()['dropped_repair'] ?? 0) > 0);
      await deliver(publisher, a.client, subscriber, [129]);
    });

    it('stops with the link', async () => {
      const { a, b } = await relayedRoom(world);
      a.datapath.removeLink('b');
      expect(a.datapath.sendLinkMessage('b', Buffer.from('x'))).toBe(false);
      world.connect(a, b);
      expect(a.datapath.sendLinkMessage('b', Buffer.from('x'))).toBe(true);
      await until('it arrives', () => b.exceptions.some(({ kind }) => kind === 'linkMessage'));
    });
  });
}
