import { describe, expect, it } from 'vitest';
import { openMemoryStorage } from '@godwit/storage';
import { FakeClient, type ConnectResult } from './testing/fake-client.js';
import { FakeNode, scriptMoves } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';

async function stop(...nodes: FakeNode[]): Promise<void> {
  for (const node of nodes) node.stop();
  await Promise.all(nodes.map(({ ended }) => ended));
}

describe('a control that starts anew', () => {
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
