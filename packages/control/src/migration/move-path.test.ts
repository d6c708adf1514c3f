import { beforeEach, describe, expect, it } from 'vitest';
import type { FakeNode } from '../testing/fake-node.js';
import type { Harness } from '../testing/harness.js';
import { answerRestarts, useTwoNodes } from '../testing/two-nodes.js';

const scene = useTwoNodes();
let harness: Harness;
let a: FakeNode;
let b: FakeNode;
beforeEach(() => {
  ({ harness, a, b } = scene);
});

describe('telling the client of the way', () => {
  it('rehearses everything but the transfer: nothing changes hands, nobody is disconnected', async () => {
    const { sessionId, client } = await scene.publishOnA();
    const plain = await harness.join(sessionId, { sessionMigration: false });
    for (let round = 0; round < 2; round++) {
      expect(await harness.migrate(sessionId, { rehearsal: true })).toMatchObject({
        status: 'completed',
        rehearsal: true,
        connections: [{ outcome: 'rehearsed' }],
      });
    }
    expect(client.events.filter(({ event }) => event === 'moveCandidate')).toHaveLength(4);
    expect(b.received('cancelMove').length).toBeGreaterThan(0);
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }, {}]);
    expect(plain.closed).toBeNull();
    expect(await harness.migrate(sessionId)).toMatchObject({ status: 'completed' });
  });

  it('restarts ICE at the owner when a rehearsal has no address left to return by', async () => {
    const { sessionId, client } = await scene.publishOnA();
    const restarts = answerRestarts(client);
    for (let round = 0; round < 5; round++) {
      expect(await harness.migrate(sessionId, { rehearsal: true })).toMatchObject({ status: 'completed' });
    }
    expect(restarts.count).toBe(1);
    expect(a.received('restartIce')).toHaveLength(1);
  });

  it('offers an ICE restart once every address of the pool has been seen, and goes on with new ones', async () => {
    const { sessionId, client } = await scene.publishOnA();
    const restarts = answerRestarts(client);
    for (let hop = 1; hop <= 12; hop++) {
      const target = hop % 2 === 1 ? b : a;
      expect(await harness.migrate(sessionId, { target: target.nodeId })).toMatchObject({
        status: 'completed',
      });
    }
    expect(restarts.count).toBeGreaterThan(0);
    const prepared = [...a.received('prepareMove'), ...b.received('prepareMove')];
    expect(prepared.filter(({ method }) => method === 'restart').length).toBeGreaterThan(0);
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId }]);
  });

  it('moves a client that takes no candidates by an ICE restart with the same fingerprint', async () => {
    const { sessionId, client } = await scene.publishOnA({ pathMethod: 'restart' });
    answerRestarts(client);
    expect(await harness.migrate(sessionId)).toMatchObject({ status: 'completed' });
    const offer = await client.event('restartOffer');
    expect(offer.moveId).toBeDefined();
    expect(offer.sdp).toContain('a=setup:actpass');
    expect(offer.sdp).toContain(`a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`);
    expect(offer.sdp).toContain(`127.0.0.1 ${b.addresses[0]?.port} typ host`);
    expect(a.received('setRemoteIce')[0]?.ice).toEqual({ ufrag: 'rest1', pwd: 'r'.repeat(24) });
    expect(b.received('setRemoteIce')[0]?.ice).toEqual({ ufrag: 'rest1', pwd: 'r'.repeat(24) });
  });

  it('rehearses with such a client by a restart there and one back, as often as is asked', async () => {
    const { sessionId, client } = await scene.publishOnA({ pathMethod: 'restart' });
    const restarts = answerRestarts(client);
    for (let round = 1; round <= 3; round++) {
      expect(await harness.migrate(sessionId, { rehearsal: true })).toMatchObject({
        status: 'completed',
        connections: [{ outcome: 'rehearsed' }],
      });
      expect(restarts.count).toBe(2 * round);
    }
    const offers = client.events.filter(({ event }) => event === 'restartOffer') as { sdp: string }[];
    expect(offers[0]?.sdp).toContain(`127.0.0.1 ${b.addresses[0]?.port} typ host`);
    expect(offers[1]?.sdp).toContain(`127.0.0.1 ${a.addresses[0]?.port} typ host`);
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }]);
    expect(await harness.migrate(sessionId)).toMatchObject({ status: 'completed' });
  });
});
