import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNPROVEN_AMPLIFICATION_MAX, UNPROVEN_HELD_BYTES_MAX } from '../limits.js';
import type { DatapathHarness } from './harness.js';
import { until } from './until.js';
import {
  deliver,
  range,
  room,
  sendMedia,
  socketPath,
  sourceIndices,
  STREAM,
  SUBSCRIBER,
  World,
} from './world.js';

/** Where ciphertext leaves. */
export function describePaths(harness: DatapathHarness): void {
  describe('paths', () => {
    let world: World;
    beforeEach(() => (world = new World(harness)));
    afterEach(() => world.close());

    it('sends the identical ciphertext on two paths', async () => {
      const { node, publisher, subscriber } = await room(world);
      const other = await world.client(subscriber.keys);
      node.datapath.setPaths(SUBSCRIBER, [socketPath(node, subscriber), socketPath(node, other)]);
      await deliver(publisher, node.client, subscriber, range(1, 5));
      await until('the other path has them', () => other.datagrams.length === 5);
      expect(other.datagrams).toEqual(subscriber.datagrams);
    });

    it('sends little to an address that has not proven itself, and what is left with the proof', async () => {
      const { node, publisher, subscriber } = await room(world);
      node.datapath.setPaths(SUBSCRIBER, [socketPath(node, subscriber, false)]);
      const check = Buffer.alloc(100);
      subscriber.sendRaw(node.client, check);
      await until('the check came', () => node.exceptions.some(({ kind }) => kind === 'stun'));
      for (const index of range(1, 20)) sendMedia(publisher, node.client, index);
      const held = (): number => node.datapath.counters()['held_unproven'] ?? 0;
      await until('all came', () => subscriber.datagrams.length + held() === 20);
      const bytes = subscriber.datagrams.reduce((sum, datagram) => sum + datagram.length, 0);
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(check.length * UNPROVEN_AMPLIFICATION_MAX);
      node.datapath.setPaths(SUBSCRIBER, [socketPath(node, subscriber)]);
      await deliver(publisher, node.client, subscriber, [21]);
      expect(sourceIndices(subscriber)).toEqual(range(1, 21));
    });

    it('sends nothing to an unproven address that never sent', async () => {
      const { node, publisher, subscriber } = await room(world);
      node.datapath.setPaths(SUBSCRIBER, [socketPath(node, subscriber, false)]);
      sendMedia(publisher, node.client, 1);
      await until('it is held', () => node.datapath.counters()['held_unproven'] === 1);
      expect(subscriber.datagrams).toEqual([]);
    });

    it('holds no more for an unproven address than the limit', async () => {
      const { node, publisher, subscriber } = await room(world);
      node.datapath.setPaths(SUBSCRIBER, [socketPath(node, subscriber, false)]);
      let index = 0;
      const dropped = (): number => node.datapath.counters()['dropped_unproven'] ?? 0;
      await until('the limit is reached', () => {
        for (const end = index + 20; index < end;) sendMedia(publisher, node.client, ++index);
        return dropped() > 0;
      });
      expect(node.datapath.counters()['held_unproven']).toBeLessThan(UNPROVEN_HELD_BYTES_MAX / 40);
      expect(subscriber.datagrams).toEqual([]);
    });

    it('forgets what it bound', async () => {
      const { node, publisher, subscriber } = await room(world);
      await deliver(publisher, node.client, subscriber, [1]);
      node.datapath.unbindRemote('00000000000000a1', node.client.handle, publisher.remote);
      sendMedia(publisher, node.client, 2);
      await until('it was read', () => (node.datapath.counters()['dropped_unbound'] ?? 0) > 0);
      expect(node.datapath.streamStatus(STREAM)?.highestIndex).toBe(1);
    });
  });
}
