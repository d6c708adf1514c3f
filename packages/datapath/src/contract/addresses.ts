import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BOUND_REMOTES_MAX, UNPROVEN_AMPLIFICATION_MAX } from '../limits.js';
import type { RemoteAddress } from '../values.js';
import type { FakeClient } from './fake-client.js';
import type { DatapathHarness } from './harness.js';
import { pause, until } from './until.js';
import {
  deliver,
  prepare,
  PUBLISHER,
  range,
  RECEIVER_REPORT,
  room,
  sendMedia,
  setStream,
  socketPath,
  sourceIndices,
  STREAM,
  subscribe,
  SUBSCRIBER,
  World,
  type ContractNode,
} from './world.js';

const OTHER = '00000000000000c1';
const forged = (port: number): RemoteAddress => ({ address: '127.0.0.9', port, family: 'IPv4' });
/** Looks like what the name says by its first byte; the content is nonsense. */
const STUN = 0x00;
const DTLS = 0x16;
const SRTP = 0x80;

/** What forged source addresses, replayed checks and foreign nodes achieve: checks and sources prove nothing. */
export function describeAddresses(harness: DatapathHarness): void {
  describe('addresses', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    it('keeps the proven address, however many others checks seem to come from', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1]);
      for (const port of range(1, 4 * BOUND_REMOTES_MAX))
        node.datapath.bindRemote(PUBLISHER, node.client.handle, forged(port));
      await deliver(publisher, node.client, subscriber, range(2, 5));
    });

    it('keeps the address by which the client is just coming, however many others were proven lately', async () => {
      const { node, publisher, subscriber } = await room(world);
      const { datapath, client } = node;
      // Proven one after the other, as by moves in quick succession, until no more are kept.
      for (const index of range(1, BOUND_REMOTES_MAX + 1)) {
        const former = await world.client(publisher.keys);
        datapath.bindRemote(PUBLISHER, client.handle, former.remote);
        await deliver(former, client, subscriber, [index]);
      }
      const coming = await world.client(publisher.keys);
      datapath.bindRemote(PUBLISHER, client.handle, coming.remote);
      // A check from the client's address of the other family follows at once.
      datapath.bindRemote(PUBLISHER, client.handle, forged(1));
      await deliver(coming, client, subscriber, [BOUND_REMOTES_MAX + 2]);
    });

    it('leaves a proven address to its transport, and an unproven one to whom it serves', async () => {
      const { node, publisher, subscriber } = await room(world);
      const { datapath, client } = node;
      const takeOver = (): boolean => datapath.bindRemote(OTHER, client.handle, publisher.remote);
      datapath.addTransport(OTHER);
      expect(takeOver()).toBe(true);
      expect(datapath.bindRemote(PUBLISHER, client.handle, publisher.remote)).toBe(true);
      await deliver(publisher, client, subscriber, [1]);
      expect(takeOver()).toBe(false);
      await deliver(publisher, client, subscriber, [2, 3]);
      datapath.unbindRemote(PUBLISHER, client.handle, publisher.remote);
      expect(takeOver()).toBe(true);
    });

    it('proves the address from which media came, not another one of the same socket', async () => {
      const { node, publisher, subscriber } = await room(world);
      const { datapath, client } = node;
      const elsewhere = await world.client(publisher.keys);
      const proofs = () => node.exceptions.filter(({ kind }) => kind === 'proof');
      await deliver(publisher, client, subscriber, [1]);
      await until('the handshake’s own proof', () => proofs().length === 1);
      datapath.bindRemote(PUBLISHER, client.handle, elsewhere.remote);
      datapath.watchProof(PUBLISHER, { kind: 'socket', socket: client.handle, remote: elsewhere.remote });
      await deliver(publisher, client, subscriber, [2, 3]);
      elsewhere.sendRaw(client, publisher.lastSent);
      await deliver(publisher, client, subscriber, [4]);
      expect(proofs()).toHaveLength(1);
      await deliver(elsewhere, client, subscriber, [5]);
      await until('proven', () => proofs().length === 2);
      expect(proofs()[1]).toMatchObject({ via: { kind: 'socket', remote: elsewhere.remote } });
    });

    it('takes frames of the nodes of its moves alone', async () => {
      const { node: a, publisher, subscriber } = await room(world);
      const b = await world.node('b');
      world.connect(a, b);
      await deliver(publisher, a.client, subscriber, [1]);
      // b claims to hold both clients' paths; nobody at a has heard of such a move.
      for (const [id, client] of [
        [PUBLISHER, publisher],
        [SUBSCRIBER, subscriber],
      ] as const) {
        b.datapath.addTransport(id);
        b.datapath.bindRemote(id, b.client.handle, client.remote);
        b.datapath.setInbound(id, { kind: 'forward', linkId: 'a' });
      }
      b.datapath.installKeys(SUBSCRIBER, subscriber.keys);
      b.datapath.setPaths(SUBSCRIBER, [{ kind: 'link', linkId: 'a', provenPathId: 1 }]);
      const got = subscriber.datagrams.length;
      sendMedia(publisher, b.client, 2);
      b.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT);
      await until('both are refused', () => a.datapath.counters()['dropped_foreign_frame'] === 2);
      expect(a.datapath.streamStatus(STREAM)?.highestIndex).toBe(1);
      expect(subscriber.datagrams).toHaveLength(got);
    });

    describe('sends to an unproven address at most three times what came from it', () => {
      const action = fc.oneof(
        fc.record({
          from: fc.constantFrom(STUN, DTLS, SRTP),
          bytes: fc.integer({ min: 20, max: 1_400 }),
        }),
        fc.record({
          send: fc.constantFrom('media', 'rtcp', 'flight'),
          bytes: fc.integer({ min: 1, max: 1_100 }),
        }),
      );
      const actions = fc.array(action, { minLength: 1, maxLength: 60 });

      it('as owner, in any order of media, RTCP and DTLS flights', async () => {
        const { node, publisher, subscriber } = await room(world);
        await fc.assert(
          fc.asyncProperty(actions, async (steps) => {
            const victim = await world.client(subscriber.keys);
            const { datapath, client } = node;
            datapath.bindRemote(SUBSCRIBER, client.handle, victim.remote);
            datapath.setPaths(SUBSCRIBER, [socketPath(node, victim, false)]);
            await amplify(steps, { path: node, owner: node, publisher, victim });
          }),
          { numRuns: 12 },
        );
      });

      it('as the target of a move, for what its owner sends through it', async () => {
        const { node: a, publisher, subscriber } = await room(world);
        const b = await world.node('b');
        world.connect(a, b);
        setStream(a, { relayTo: ['b'] });
        setStream(b, { acceptFrom: [{ linkId: 'a', ingressEpoch: 1 }] });
        prepare(b, SUBSCRIBER, subscriber, a);
        subscribe(b);
        await fc.assert(
          fc.asyncProperty(actions, async (steps) => {
            const victim = await world.client(subscriber.keys);
            b.datapath.bindRemote(SUBSCRIBER, b.client.handle, victim.remote);
            b.datapath.setPaths(SUBSCRIBER, [socketPath(b, victim, false)]);
            a.datapath.setPaths(SUBSCRIBER, [{ kind: 'link', linkId: 'b' }]);
            await amplify(steps, { path: b, owner: a, publisher, victim });
          }),
          { numRuns: 12 },
        );
      });

      let nextIndex = 1;

      /** Runs the steps one after the other and adds up. Garbage from the victim's address proves nothing. */
      async function amplify(
        steps: readonly ({ from: number; bytes: number } | { send: string; bytes: number })[],
        at: { path: ContractNode; owner: ContractNode; publisher: FakeClient; victim: FakeClient },
      ): Promise<void> {
        const { path, owner, publisher, victim } = at;
        let came = 0;
        let last = 0;
        for (const step of steps) {
          if ('from' in step) {
            const before = path.datapath.counters()['packets_received'] ?? 0;
            victim.sendRaw(path.client, Buffer.alloc(step.bytes, step.from));
            await until('it came', () => (path.datapath.counters()['packets_received'] ?? 0) > before);
            came += step.bytes;
            // A check has its answer, which no limit may hold back.
            if (step.from === STUN)
              path.datapath.sendDatagram(path.client.handle, victim.remote, Buffer.alloc(step.bytes, STUN));
          } else if (step.send === 'flight') {
            path.datapath.sendDatagram(path.client.handle, victim.remote, Buffer.alloc(step.bytes, DTLS));
          } else if (step.send === 'rtcp') {
            owner.datapath.sendRtcp(SUBSCRIBER, RECEIVER_REPORT);
          } else {
            last = nextIndex++;
            sendMedia(publisher, owner.client, last);
          }
        }
        for (let size = 1_024; size >= 1; size /= 2) {
          // Whatever is left to it.
          for (let count = 0; count < 3; count += 1)
            path.datapath.sendDatagram(path.client.handle, victim.remote, Buffer.alloc(size, DTLS));
        }
        if (last > 0) await until('all is through', () => owner.datapath.hasPacket(STREAM, last));
        await pause(5);
        const got = victim.datagrams.reduce((sum, datagram) => sum + datagram.length, 0);
        expect(got).toBeLessThanOrEqual(UNPROVEN_AMPLIFICATION_MAX * came);
        if (came === 0) expect(victim.datagrams).toEqual([]);
      }
    });

    it('lifts the limit by authenticated media alone, and for that address', async () => {
      const { node, publisher, subscriber } = await room(world);
      const { datapath, client } = node;
      const mover = await world.client(subscriber.keys);
      datapath.bindRemote(SUBSCRIBER, client.handle, mover.remote);
      datapath.setPaths(SUBSCRIBER, [socketPath(node, mover, false)]);
      // A replay of what the client sent from its own address, and garbage.
      subscriber.sendRtcp(client, RECEIVER_REPORT);
      await until('it came', () => datapath.counters()['rtcp_received'] === 1);
      mover.sendRaw(client, subscriber.lastSent);
      await until('refused', () => datapath.counters()['dropped_replayed'] === 1);
      for (const index of range(1, 20)) sendMedia(publisher, client, index);
      await until('all came', () => datapath.streamStatus(STREAM)?.highestIndex === 20);
      expect(sourceIndices(mover).length).toBeLessThan(2);
      mover.sendRtcp(client, RECEIVER_REPORT);
      mover.sendRtcp(client, RECEIVER_REPORT);
      await until('proven', () => datapath.counters()['rtcp_received'] === 2);
      await deliver(publisher, client, mover, range(21, 30));
    });
  });
}
