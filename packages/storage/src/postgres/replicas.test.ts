import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres, PostgresServer } from '@godwit/testing';
import { REPLICA_LEASE_MS } from '../limits.js';
import type { Membership } from '../membership.js';
import { openPostgresStorage, type Storage } from '../storage.js';
import { newSession } from '../contract/fixtures.js';
import { joinReplicas, type JoinOptions } from './replicas.js';

const idsOf = (membership: Membership): string[] => membership.replicas().map(({ replicaId }) => replicaId);

describe.skipIf(findPostgres() === null)('replicas on PostgreSQL', { timeout: 60_000 }, () => {
  let server: PostgresServer;
  let storage: Storage;
  const lost: string[] = [];
  const joined: Membership[] = [];
  let started = 0;

  beforeAll(async () => {
    server = await PostgresServer.start();
    storage = await openPostgresStorage(server.url);
  }, 90_000);
  afterEach(async () => {
    for (const membership of joined.splice(0)) await membership.leave();
    lost.length = 0;
  });
  afterAll(async () => {
    await storage.close();
    await server.close();
  });

  /** Without a connection to the server it is as good as stalled; its clock can be stopped, too. */
  async function join(replicaId: string, options: Partial<JoinOptions> = {}): Promise<Membership> {
    const membership = await joinReplicas({
      url: server.url,
      replicaId,
      startedAtMs: started++,
      fingerprint: 'same',
      onChange: () => undefined,
      onLost: () => lost.push(replicaId),
      ...options,
    });
    joined.push(membership);
    return membership;
  }

  it('know each other, and one of them leads until it leaves', async () => {
    const [a, b] = [await join('a'), await join('b')];
    await a.announce('http://a');
    await expect
      .poll(() => [idsOf(a), idsOf(b)])
      .toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ]);
    await expect.poll(() => b.replicas()[0]?.url).toBe('http://a');
    await expect.poll(() => [a, b].filter((each) => each.isLeader()).length, { timeout: 5_000 }).toBe(1);
    const [leader, other] = a.isLeader() ? [a, b] : [b, a];
    await leader.leave();
    await expect.poll(() => other.isLeader(), { timeout: 5_000 }).toBe(true);
    expect(idsOf(other)).toEqual([other.replicaId]);
    expect(lost).toEqual([]);
  });

  it('free what one of them kept when it leaves, or has been silent for its lease', async () => {
    const [a, b] = [await join('a2'), await join('b2')];
    const sessionId = await newSession(storage);
    await storage.replicas.keep(sessionId, 'a2');
    expect((await storage.replicas.keeperOf(sessionId))?.replicaId).toBe('a2');
    await a.leave();
    expect(await storage.replicas.keeperOf(sessionId)).toBe(null);
    // One that died: its row is there, and nobody renews it.
    await server.query(
      `insert into replicas values ('dead', null, 'same', 0, clock_timestamp() + interval '1 second')`,
    );
    await storage.replicas.keep(sessionId, 'dead');
    await expect
      .poll(() => storage.replicas.keeperOf(sessionId), { timeout: REPLICA_LEASE_MS * 4 })
      .toBe(null);
    expect(idsOf(b)).toEqual(['b2']);
  });

  it('learn that they were taken for dead, and are not sure from long before', async () => {
    let nowMs = 0;
    const a = await join('a3', { clockMs: () => nowMs });
    expect(a.isSure()).toBe(true);
    nowMs += REPLICA_LEASE_MS - 500;
    expect(a.isSure()).toBe(false);
    await server.query(`delete from replicas where replica_id = 'a3'`);
    await expect.poll(() => lost, { timeout: 5_000 }).toEqual(['a3']);
    expect(a.isSure()).toBe(false);
    await expect(storage.replicas.keep(await newSession(storage), 'a3')).rejects.toThrow();
  });

  it('are all still there after the database was away for longer than their leases', async () => {
    const [a, b] = [await join('a4'), await join('b4')];
    const sessionId = await newSession(storage);
    await storage.replicas.keep(sessionId, 'a4');
    await server.stop();
    await new Promise((resolve) => setTimeout(resolve, REPLICA_LEASE_MS + 1_000));
    expect([a.isSure(), b.isSure()]).toEqual([false, false]);
    await server.restart();
    await expect.poll(() => a.isSure() && b.isSure(), { timeout: 10_000 }).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, REPLICA_LEASE_MS));
    expect(lost).toEqual([]);
    expect((await storage.replicas.keeperOf(sessionId))?.replicaId).toBe('a4');
  });

  it('refuse one with other secrets', async () => {
    await join('a5');
    await expect(join('b5', { fingerprint: 'other' })).rejects.toMatchObject({ code: 'otherSecrets' });
  });
});
