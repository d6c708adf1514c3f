import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStorage } from '@godwit/storage';
import { findPostgres, PostgresServer } from '@godwit/testing';
import { FakeClient, offerSdp } from './testing/fake-client.js';
import type { FakeNode } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';

describe.skipIf(findPostgres() === null)('while PostgreSQL is away', () => {
  let server: PostgresServer;
  let harness: Harness;
  let node: FakeNode;

  beforeAll(async () => {
    server = await PostgresServer.start();
    harness = await Harness.start({ storage: await openPostgresStorage(server.url) });
    node = await harness.node();
  }, 90_000);
  afterAll(async () => {
    await harness.close();
    await server.close();
  });

  it(
    'the call goes on, REST says when to ask again, and what happened is written afterwards',
    { timeout: 60_000 },
    async () => {
      const sessionId = await harness.session();
      const [ada, bob] = [await harness.join(sessionId), await harness.join(sessionId)];
      const { streamId } = await harness.publish(ada, node);
      await bob.event('streamCreated');
      const token = await harness.token(sessionId);
      await server.stop();

      // What needs no row goes on.
      await ada.request('signal', { data: 'still here' });
      expect((await bob.event('signal')).data).toBe('still here');
      // REST answers, and soon.
      for (const [method, path] of [
        ['POST', '/session/create'],
        ['GET', `/v2/project/${SECRETS.apiKey}/callback`],
      ] as const) {
        const startedAtMs = Date.now();
        const headers = { 'x-opentok-auth': await harness.projectToken() };
        const response = await fetch(harness.url + path, { method, headers });
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
        expect(await response.json()).toMatchObject({ code: 70014 });
        expect(Date.now() - startedAtMs).toBeLessThan(10_000);
      }
      // Who is in the session can be read all the same.
      const read = await harness.rest('GET', `${sessionId}/connection`);
      expect([read.status, read.body['count']]).toEqual([200, 2]);
      // Nobody new is let in without a row, and is told that it may try again.
      const late = await FakeClient.open(harness.url);
      const connect = {
        apiKey: SECRETS.apiKey,
        sessionId,
        token,
        sdkVersion: 'test',
        sessionMigration: true,
      };
      await expect(late.request('connect', { ...connect, pathMethod: 'candidate' })).rejects.toMatchObject({
        code: 1006,
      });
      // Who publishes for the first time is refused, and succeeds when it comes again.
      const offer = (pwd: string): Promise<unknown> =>
        bob.request('offer', {
          sdp: offerSdp([{ mid: '0', kind: 'audio', direction: 'recvonly' }], {
            ufrag: pwd.slice(0, 4),
            pwd,
          }),
          publications: [],
          subscriptions: [],
        });
      await expect(offer('a'.repeat(24))).rejects.toMatchObject({ code: 2000 });
      // Somebody leaves: the others see it at once.
      await ada.request('destroyStream', { streamId });
      await ada.request('disconnect');
      await bob.event('connectionDestroyed');

      await server.restart();
      await expect
        .poll(
          async () => (await harness.storage.connections.get(ada.joined.connection.connectionId))?.endReason,
          {
            timeout: 10_000,
          },
        )
        .toBe('clientDisconnected');
      expect(await harness.storage.streams.listLive([sessionId])).toEqual([]);
      await offer('b'.repeat(24));
      await late.request('connect', { ...connect, pathMethod: 'candidate' });
      expect((await harness.rest('GET', `${sessionId}/connection`)).body['count']).toBe(2);
    },
  );
});
