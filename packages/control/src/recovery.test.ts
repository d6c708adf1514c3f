import { describe, expect, it } from 'vitest';
import { openMemoryStorage } from '@godwit/storage';
import type { Timings } from './context.js';
import { FakeClient, type ConnectResult } from './testing/fake-client.js';
import { FakeNode, scriptMoves } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';

async function stop(...nodes: FakeNode[]): Promise<void> {
  for (const node of nodes) node.stop();
  await Promise.all(nodes.map(({ ended }) => ended));
}

/** A client that publishes on node a, a move to node b that has been granted, and then another control. */
async function restartDuringMove(timings: Partial<Timings>) {
  const storage = await openMemoryStorage();
  const kept = { ...storage, close: () => Promise.resolve() };
  const before = await Harness.start({ storage: kept, timings });
  const [a, b] = [await before.node(), await before.node()];
  const sessionId = await before.session();
  await before.storage.sessions.setHomeNode(sessionId, a.nodeId);
  const client = await before.join(sessionId);
  const { transportId } = await before.publish(client, a);
  await before.close();
  await stop(a, b);
  const owner = { ownerNodeId: a.nodeId, epoch: 1 };
  const moveId = 'ab'.repeat(8);
  await storage.transports.beginMove(transportId, owner, { moveId, targetNodeId: b.nodeId });
  const identityKey = b.identity.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const process = { bootId: '0'.repeat(16), version: '', registeredAtMs: 1, lastSeenAtMs: 1 };
  await storage.nodes.register({ identityKey, ...process }, [b.nodeId]);
  const after = await Harness.start({ storage: kept, timings });
  return { storage, after, a, b, sessionId, transportId, moveId };
}

describe('a control that starts anew', () => {
  it.each([
    ['the source that still owns it comes back', 'source'],
    ['the target that took over comes back after the source', 'target'],
  ])(
    'goes on from a move that was under way: %s',
    async (_case, holder) => {
      const timings = { resumeGraceMs: 5_000, nodeReportGraceMs: 2_000 };
      const { storage, after, a, b, sessionId, transportId } = await restartDuringMove(timings);
      const common = { url: after.url, joinKey: SECRETS.joinKey };
      const held = (node: 'source' | 'target', epoch: number): { transportId: string; epoch: number }[] =>
        node === holder ? [{ transportId, epoch }] : [];
      const backA = await FakeNode.start({ ...common, identity: a.identity, transports: held('source', 1) });
      const backB = await FakeNode.start({
        ...common,
        nodeId: b.nodeId,
        identity: b.identity,
        transports: held('target', 2),
      });
      const [from, to] = holder === 'source' ? [backA, backB] : [backB, backA];
      scriptMoves(from, to);
      const row = (): ReturnType<typeof storage.transports.get> => storage.transports.get(transportId);
      await expect.poll(async () => (await row())?.intent).toBeNull();
      expect(await row()).toMatchObject({ ownerNodeId: from.nodeId, endedAtMs: null });
      expect(await after.migrate(sessionId, { target: to.nodeId })).toMatchObject({ status: 'completed' });
      expect(await row()).toMatchObject({ ownerNodeId: to.nodeId, epoch: 4 });
      await stop(backA, backB);
      await after.close();
      await storage.close();
    },
    60_000,
  );

  it('keeps a transport whose new owner only its former one names: nobody reports it a second time', async () => {
    const { storage, after, a, b, transportId, moveId } = await restartDuringMove({
      resumeGraceMs: 5_000,
      nodeReportGraceMs: 1_000,
    });
    const common = { url: after.url, joinKey: SECRETS.joinKey };
    const backB = await FakeNode.start({ ...common, nodeId: b.nodeId, identity: b.identity });
    const backA = await FakeNode.start({ ...common, identity: a.identity });
    const ended = { event: 'moveEnded', moveId, transportId, outcome: 'completed', measures: {} } as const;
    backA.send({ ...ended, ownerNodeId: b.nodeId, epoch: 2 });
    const row = (): ReturnType<typeof storage.transports.get> => storage.transports.get(transportId);
    await expect.poll(row).toMatchObject({ ownerNodeId: b.nodeId, epoch: 2, intent: null });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(after.logs.filter((line) => line.includes('lost with its node'))).toEqual([]);
    await stop(backA, backB);
    await after.close();
    await storage.close();
  }, 60_000);

  it('takes up connections, streams and transports, and can move them; who does not come back is ended', async () => {
    const storage = await openMemoryStorage();
    const kept = { ...storage, close: () => Promise.resolve() };
    const timings = { resumeGraceMs: 2_000, nodeReportGraceMs: 500 };
    const before = await Harness.start({ storage: kept, timings });
    const [a, b] = [await before.node(), await before.node()];
    const sessionId = await before.session();
    await before.storage.sessions.setHomeNode(sessionId, a.nodeId);
    const client = await before.join(sessionId);
    const { transportId, streamId } = await before.publish(client, a);
    const left = await before.join(sessionId);
    await before.close();
    await stop(a, b);

    const after = await Harness.start({ storage: kept, timings });
    const backA = await FakeNode.start({
      url: after.url,
      joinKey: SECRETS.joinKey,
      identity: a.identity,
      transports: [{ transportId, epoch: 1 }],
    });
    const backB = await after.node();
    scriptMoves(backA, backB);
    const again = await FakeClient.open(after.url);
    const { connection, resumeToken } = client.joined;
    const result = await again.request<ConnectResult>('resume', {
      connectionId: connection.connectionId,
      resumeToken,
      lastSeq: 1,
    });
    expect(result).toMatchObject({ resumed: false, connection });
    expect(result.connections.map(({ connectionId }) => connectionId)).toEqual([
      left.joined.connection.connectionId,
    ]);
    const joiner = await after.join(sessionId);
    expect(joiner.joined.streams).toMatchObject([{ streamId }]);
    expect(await after.migrate(sessionId)).toMatchObject({
      status: 'completed',
      progress: { moved: 1, total: 1 },
    });
    expect(await again.event('connectionDestroyed')).toMatchObject({
      connection: left.joined.connection,
      reason: 'networkDisconnected',
    });
    await stop(backA, backB);
    await after.close();
    await storage.close();
  }, 60_000);
});
