import { beforeEach, describe, expect, it } from 'vitest';
import { offerSdp } from '../testing/fake-client.js';
import type { FakeNode } from '../testing/fake-node.js';
import type { Harness } from '../testing/harness.js';
import { useTwoNodes } from '../testing/two-nodes.js';

const scene = useTwoNodes();
let harness: Harness;
let a: FakeNode;
let b: FakeNode;
beforeEach(() => {
  ({ harness, a, b } = scene);
});

describe('migrating a session', () => {
  it('keeps the gap that the moved client reports, and nobody else', async () => {
    const { sessionId, client } = await scene.publishOnA();
    const other = await harness.join(sessionId);
    const migration = await harness.migrate(sessionId);
    const { moveId } = await client.event('moveEnded');
    const report = {
      moveId,
      frameGapMsMax: 41,
      frameGapBeforeMsMax: 40,
      packetsLost: 0,
      freezeCount: 0,
      concealedSamples: 0,
      keyFramesDecoded: 0,
      pliCount: 0,
      hiddenMs: 0,
      windowMs: 3_000,
      subscribers: 1,
    };
    await other.request('gapReport', { report: { ...report, frameGapMsMax: 1 } });
    await client.request('gapReport', { report });
    const { body } = await harness.rest('GET', `${sessionId}/migrate/${String(migration['id'])}`);
    expect(body['connections']).toMatchObject([{ gap: { ms: 41, source: 'client' } }]);
    expect(await (await fetch(`${harness.url}/metrics`)).text()).toContain(
      'godwit_move_gap_milliseconds_count 1',
    );
  });

  it('disconnects a client without sessionMigration once, with its reason, and leaves the others alone', async () => {
    const { sessionId, client } = await scene.publishOnA();
    const plain = await harness.join(sessionId, { sessionMigration: false });
    await plain.request('offer', {
      sdp: offerSdp([{ mid: '0', kind: 'audio', direction: 'recvonly' }]),
      publications: [],
      subscriptions: [],
    });
    expect(await harness.migrate(sessionId)).toMatchObject({
      status: 'completed',
      progress: { moved: 1, total: 1 },
    });
    await plain.until(() => plain.closed !== null);
    const names = plain.events.map((event) => [event.event, 'reason' in event ? event.reason : '']);
    expect(names.slice(-2)).toEqual([
      ['sessionDestroyed', 'serverRotation'],
      ['sessionDisconnected', 'serverRotation'],
    ]);
    const gone = await client.event('connectionDestroyed');
    expect(gone).toMatchObject({
      reason: 'serverRotation',
      connection: { connectionId: plain.joined.connection.connectionId },
    });
    expect(client.closed).toBeNull();
    await expect(client.request('ping')).resolves.toEqual({});
  });

  it('ends at once and disconnects nobody when the target holds everything', async () => {
    const { sessionId, client } = await scene.publishOnA();
    const migration = await harness.migrate(sessionId, { target: a.nodeId });
    expect(migration).toMatchObject({
      status: 'completed',
      progress: { moved: 0, total: 0 },
      connections: [],
    });
    expect(client.closed).toBeNull();
  });

  it('answers 15214 while one runs, and 404 for what does not exist', async () => {
    const { sessionId } = await scene.publishOnA();
    const start = a.script.startMove;
    a.script.startMove = async (command) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return start?.(command);
    };
    const first = await harness.rest('POST', `${sessionId}/migrate`);
    expect(first).toMatchObject({ status: 200, body: { sessionId, status: 'pending' } });
    expect(await harness.rest('POST', `${sessionId}/migrate`)).toMatchObject({
      status: 409,
      body: { code: 15214 },
    });
    await harness.migrationEnd(sessionId, String(first.body['id']));
    expect(await harness.rest('POST', '1_unknown/migrate')).toMatchObject({ status: 404 });
    expect(await harness.rest('GET', `${sessionId}/migrate/none`)).toMatchObject({ status: 404 });
    expect(await harness.rest('POST', `${sessionId}/migrate`, { target: 'node-zz' })).toMatchObject({
      status: 404,
    });
    expect(await harness.rest('POST', `${sessionId}/migrate`, { target: 7 })).toMatchObject({ status: 400 });
  });

  it('says so when no other node is in service', async () => {
    const { sessionId } = await scene.publishOnA();
    b.stop();
    await b.ended;
    const isGone = async (): Promise<boolean> =>
      (await harness.rest('POST', `${sessionId}/migrate`)).status === 409;
    await expect.poll(isGone).toBe(true);
    const answer = await harness.rest('POST', `${sessionId}/migrate`);
    expect(answer.body).toMatchObject({ code: 70011, message: 'No other node is in service' });
  });
});
