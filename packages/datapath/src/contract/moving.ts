import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoundSocket } from '../values.js';
import type { FakeClient } from './fake-client.js';
import type { DatapathHarness } from './harness.js';
import { pause, until } from './until.js';
import {
  OUT_SSRC,
  own,
  prepare,
  publish,
  PUBLISHER,
  range,
  RECEIVER_REPORT,
  sendMedia,
  setStream,
  socketPath,
  sourceIndices,
  subscribe,
  SUBSCRIBER,
  World,
  type ContractNode,
} from './world.js';

const L = 8_192;
const OTHER_SUBSCRIBER = '00000000000000b2';
/** Packets of one turn: bursts, as a key frame makes them. */
const BURST = 5;
const FIRST_INDEX = 65_400;

/** A publisher that never pauses; packets leave in bursts, one burst a turn, across a rollover. */
class Traffic {
  next = FIRST_INDEX;
  to: BoundSocket;
  readonly #publisher: FakeClient;
  #isRunning = true;
  readonly #done: Promise<void>;

  constructor(publisher: FakeClient, to: BoundSocket) {
    this.#publisher = publisher;
    this.to = to;
    this.#done = this.#run();
  }

  /** Waits until `count` more packets have left. */
  async pass(count: number): Promise<void> {
    const target = this.next + count;
    await until(`${count} packets leave`, () => this.next >= target);
  }

  async stop(): Promise<number[]> {
    this.#isRunning = false;
    await this.#done;
    return range(FIRST_INDEX, this.next - 1);
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      for (let burst = 0; burst < BURST; burst += 1) sendMedia(this.#publisher, this.to, this.next++);
      await pause(1);
    }
  }
}

async function expectEverything(subscriber: FakeClient, sent: readonly number[]): Promise<void> {
  await until('everything arrives', () => sourceIndices(subscriber).length >= sent.length);
  expect(sourceIndices(subscriber).toSorted((x, y) => x - y)).toEqual(sent);
  const indices = subscriber.of(OUT_SSRC).map(({ index }) => index);
  expect(new Set(indices).size).toBe(sent.length);
  expect(Math.max(...indices) - Math.min(...indices)).toBe(sent.length - 1);
  expect(subscriber.reusedIndices).toBe(0);
}

/** The path id in the proof that comes by a link once the client has sent something that way. */
async function provePath(owner: ContractNode, linkId: string, send: () => void): Promise<number> {
  const from = owner.exceptions.length;
  owner.datapath.watchProof(SUBSCRIBER, { kind: 'link', linkId });
  send();
  const ids = () =>
    owner.exceptions
      .slice(from)
      .flatMap((e) => (e.kind === 'proof' && e.via.kind === 'link' ? [e.via.pathId] : []));
  await until('the path is proven', () => ids().length > 0);
  return ids()[0] ?? 0;
}

/** Hands the keys over as the nodes do: state, ACCEPTED, RELEASE, each with traffic in between. */
async function transfer(traffic: Traffic, id: string, from: ContractNode, to: ContractNode): Promise<void> {
  const state = from.datapath.freeze(id);
  await traffic.pass(3 * BURST);
  to.datapath.thaw(id, state, { count: L });
  await traffic.pass(3 * BURST);
  from.datapath.dropKeys(id);
  from.datapath.setInbound(id, { kind: 'forward', linkId: to.name });
  await traffic.pass(3 * BURST);
  to.datapath.liftCeiling(id);
}

/** Whole moves under continuous traffic: nothing lost, nothing twice, no index used twice. */
export function describeMoving(harness: DatapathHarness): void {
  describe('moving', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    /** Subscribers on both nodes, the publisher on a. */
    async function twoNodes() {
      const [a, b] = [await world.node('a'), await world.node('b')];
      world.connect(a, b);
      const publisher = await world.client();
      const atA = await world.client();
      const atB = await world.client();
      own(a, PUBLISHER, publisher);
      own(a, SUBSCRIBER, atA);
      own(b, OTHER_SUBSCRIBER, atB);
      publish(a);
      subscribe(a);
      subscribe(b, {}, OTHER_SUBSCRIBER);
      setStream(a, { ingressEpoch: 1, relayTo: ['b'], acceptFrom: [{ linkId: 'b', ingressEpoch: 2 }] });
      setStream(b, { ingressEpoch: 2, relayTo: ['a'], acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }] });
      return { a, b, publisher, atA, atB };
    }

    it('moves a publisher there and back', async () => {
      const { a, b, publisher, atA, atB } = await twoNodes();
      const traffic = new Traffic(publisher, a.client);
      await until('the relay runs', () => sourceIndices(atB).length > 0);
      prepare(b, PUBLISHER, publisher, a);
      publish(b);
      await traffic.pass(50);
      traffic.to = b.client;
      await traffic.pass(50);
      await transfer(traffic, PUBLISHER, a, b);
      await traffic.pass(50);
      setStream(a, { ingressEpoch: 3, relayTo: ['b'], acceptFrom: [{ linkId: 'b', ingressEpoch: 2 }] });
      const both = [1, 3].map((ingressEpoch) => ({ linkId: 'a', ingressEpoch }));
      setStream(b, { ingressEpoch: 2, relayTo: ['a'], acceptFrom: both });
      traffic.to = a.client;
      await traffic.pass(50);
      await transfer(traffic, PUBLISHER, b, a);
      await traffic.pass(50);
      const sent = await traffic.stop();
      await expectEverything(atA, sent);
      await expectEverything(atB, sent);
    });

    it('moves a subscriber, first its path and then its owner', async () => {
      const { a, b, publisher, atA: subscriber } = await twoNodes();
      const traffic = new Traffic(publisher, a.client);
      await traffic.pass(50);
      prepare(b, SUBSCRIBER, subscriber, a);
      subscribe(b);
      a.datapath.setPaths(SUBSCRIBER, [socketPath(a, subscriber), { kind: 'link', linkId: 'b' }]);
      await traffic.pass(50);
      a.datapath.setPaths(SUBSCRIBER, [{ kind: 'link', linkId: 'b' }]);
      await traffic.pass(50);
      await transfer(traffic, SUBSCRIBER, a, b);
      await traffic.pass(50);
      await expectEverything(subscriber, await traffic.stop());
      expect(subscriber.copies).toBeGreaterThan(0);
    });

    it('sends to the address that the owner knows to be proven, without the limit of an unproven one', async () => {
      const { a, b, publisher, atA: subscriber } = await twoNodes();
      const traffic = new Traffic(publisher, a.client);
      await traffic.pass(20);
      prepare(b, SUBSCRIBER, subscriber, a);
      // The client has sent the target nothing yet, and the target has not heard of a proof.
      b.datapath.setPaths(SUBSCRIBER, [socketPath(b, subscriber, false)]);
      a.datapath.setPaths(SUBSCRIBER, [socketPath(a, subscriber), { kind: 'link', linkId: 'b' }]);
      await traffic.pass(20);
      await until('the limit holds', () => (b.datapath.counters()['held_unproven'] ?? 0) > 0);
      const provenPathId = await provePath(a, 'b', () => subscriber.sendRtcp(b.client, RECEIVER_REPORT));
      // Whatever the target takes for the client's address by now.
      const forged = await world.client();
      b.datapath.bindRemote(SUBSCRIBER, b.client.handle, forged.remote);
      b.datapath.setPaths(SUBSCRIBER, [socketPath(b, forged, false)]);
      a.datapath.setPaths(SUBSCRIBER, [{ kind: 'link', linkId: 'b', provenPathId }]);
      await traffic.pass(50);
      await expectEverything(subscriber, await traffic.stop());
      expect(forged.datagrams).toEqual([]);
    });

    it('moves a transport back by the source’s own hand without using an index twice', async () => {
      const { a, b, publisher, atA: subscriber } = await twoNodes();
      const traffic = new Traffic(publisher, a.client);
      await traffic.pass(50);
      prepare(b, SUBSCRIBER, subscriber, a);
      subscribe(b);
      const state = a.datapath.freeze(SUBSCRIBER);
      await traffic.pass(20);
      b.datapath.thaw(SUBSCRIBER, state, { count: L });
      a.datapath.unfreeze(SUBSCRIBER, L, { count: L });
      await traffic.pass(50);
      await traffic.stop();
      await pause(20);
      expect(subscriber.reusedIndices).toBe(0);
      expect(subscriber.of(OUT_SSRC).length).toBeGreaterThan(100);
    });
  });
}
