import { beforeEach, describe, expect, it } from 'vitest';
import { CANDIDATE_PRIORITY_BASE, CANDIDATE_PRIORITY_STEP } from '../limits.js';
import { offerSdp, type OfferResult } from '../testing/fake-client.js';
import { scriptMoves, type FakeNode } from '../testing/fake-node.js';
import type { Harness } from '../testing/harness.js';
import { useTwoNodes } from '../testing/two-nodes.js';

const scene = useTwoNodes();
let harness: Harness;
let a: FakeNode;
let b: FakeNode;
beforeEach(() => {
  ({ harness, a, b } = scene);
});

describe('moving a transport', () => {
  it('moves a transport in the order of HANDOVER 2 and records the owner', async () => {
    const { sessionId, client, transportId, streamId } = await scene.publishOnA();
    const before = client.joined.connection.connectionId;
    const migration = await harness.migrate(sessionId, { target: b.nodeId });
    expect(migration).toMatchObject({
      status: 'completed',
      progress: { moved: 1, total: 1 },
      target: b.nodeId,
    });
    expect(migration['connections']).toMatchObject([
      {
        connectionId: before,
        outcome: 'completed',
        from: a.nodeId,
        to: b.nodeId,
        gap: { ms: null, source: 'none' },
        measures: { transferMs: 1.5 },
      },
    ]);
    expect(await scene.connections(sessionId)).toEqual([
      { connectionId: before, nodeId: b.nodeId, epoch: 2, migratable: true },
    ]);

    const [prepare] = b.received('prepareMove');
    expect(prepare).toMatchObject({ transportId, epoch: 2, sourceNodeId: a.nodeId, method: 'candidate' });
    expect(prepare?.streams).toMatchObject([
      { streamId, ingressNodeId: a.nodeId, consumerNodeIds: [b.nodeId] },
    ]);
    expect(a.received('startMove')[0]).toMatchObject({
      epoch: 2,
      returnEpoch: 3,
      targetNodeId: b.nodeId,
      rehearsal: false,
    });
    // The relay to the target was asked for before the target was prepared; afterwards the stream enters there.
    const relay = a
      .received('setStreams')
      .flatMap(({ streams }) => streams)
      .at(-2);
    expect(relay).toMatchObject({ ingressNodeId: a.nodeId, ingressEpoch: 1, consumerNodeIds: [b.nodeId] });
    const last = b
      .received('setStreams')
      .flatMap(({ streams }) => streams)
      .at(-1);
    expect(last).toMatchObject({ streamId, ingressNodeId: b.nodeId, ingressEpoch: 2 });

    const told = await client.event('moveCandidate');
    expect(told.candidates[0]).toMatchObject({ sdpMid: '0', usernameFragment: prepare?.ice.ufrag });
    const priority = Number(told.candidates[0]?.candidate.split(' ')[3]);
    expect(priority).toBe(CANDIDATE_PRIORITY_BASE + CANDIDATE_PRIORITY_STEP);
    expect(await client.event('moveEnded')).toMatchObject({
      moveId: told.moveId,
      outcome: 'completed',
      nodeId: b.nodeId,
    });
  });

  it('lets every receiving node accept the coming owner before the move starts, and only while it runs', async () => {
    const c = await harness.node();
    scriptMoves(b, c);
    const sessionId = await harness.session();
    await harness.storage.sessions.setHomeNode(sessionId, a.nodeId);
    const viewer = await harness.join(sessionId);
    const inactive = offerSdp([{ mid: 'v', kind: 'video', direction: 'inactive' }]);
    await viewer.request('offer', { sdp: inactive, publications: [], subscriptions: [] });
    // The viewer's handshake never ends, so it stays on a: a third node that takes no part in the move.
    await harness.migrate(sessionId, { target: b.nodeId });
    const publisher = await harness.join(sessionId);
    const { streamId } = await harness.publish(publisher, b);
    const sdp = offerSdp([{ mid: 'v', kind: 'video', direction: 'recvonly' }]);
    await viewer.request('offer', { sdp, publications: [], subscriptions: [{ streamId, videoMid: 'v' }] });
    const routesAt = (node: FakeNode) => node.received('setStreams').flatMap(({ streams }) => streams);
    expect(routesAt(a).at(-1)).toMatchObject({ streamId, ingressNodeId: b.nodeId });
    expect(routesAt(a).at(-1)).not.toHaveProperty('upcomingIngresses');

    let toldBefore: unknown;
    const start = b.script.startMove;
    b.script.startMove = (command) => {
      toldBefore = routesAt(a).at(-1);
      return start?.(command);
    };
    await harness.migrate(sessionId, { target: c.nodeId });
    const { epoch } = b.received('startMove')[0]!;
    expect(toldBefore).toMatchObject({
      ingressNodeId: b.nodeId,
      ingressEpoch: 1,
      upcomingIngresses: [
        { nodeId: c.nodeId, epoch },
        { nodeId: b.nodeId, epoch: epoch + 1 },
      ],
    });
    expect(routesAt(a).at(-1)).toMatchObject({ ingressNodeId: c.nodeId, ingressEpoch: epoch });
    expect(routesAt(a).at(-1)).not.toHaveProperty('upcomingIngresses');
    c.stop();
    await c.ended;
  });

  it('queues a negotiation behind the move and sends it to the new owner', async () => {
    const { sessionId, client, streamId } = await scene.publishOnA();
    const start = a.script.startMove;
    const moving = new Promise<void>((resolve) => {
      a.script.startMove = (command) => {
        resolve();
        return start?.(command);
      };
    });
    const migration = harness.migrate(sessionId);
    await moving;
    const offer = client.request<OfferResult>('offer', {
      sdp: offerSdp([
        { mid: '0', kind: 'audio', direction: 'sendonly', ssrc: 1_000 },
        { mid: '1', kind: 'video', direction: 'inactive' },
      ]),
      publications: [{ streamId, audioMid: '0' }],
      subscriptions: [],
    });
    expect(await migration).toMatchObject({ status: 'completed' });
    await offer;
    expect(b.received('configureTransport').at(-1)?.media.ingress).toMatchObject([
      { streamId, kind: 'audio' },
    ]);
    expect(b.received('configureTransport').at(-1)?.epoch).toBe(2);
  });

  it('moves everything away from a node that is stopping', async () => {
    const { sessionId, client } = await scene.publishOnA();
    a.send({ event: 'stopping' });
    expect(await client.event('moveEnded')).toMatchObject({ outcome: 'completed', nodeId: b.nodeId });
    expect(await scene.connections(sessionId)).toMatchObject([{ nodeId: b.nodeId }]);
    const late = await harness.join(sessionId);
    await harness.publish(late, b, 3_000);
  });

  it('moves away again what was on its way to a node that is stopping', async () => {
    const { sessionId, client } = await scene.publishOnA();
    const start = a.script.startMove;
    a.script.startMove = async (command) => {
      b.send({ event: 'stopping' });
      await expect
        .poll(() =>
          harness.logs.some((line) => line.includes(`"${b.nodeId}"`) && line.includes('is stopping')),
        )
        .toBe(true);
      return start?.(command);
    };
    expect(await harness.migrate(sessionId, { target: b.nodeId })).toMatchObject({ status: 'completed' });
    await client.event('moveEnded', ({ outcome, nodeId }) => outcome === 'completed' && nodeId === a.nodeId);
    await expect.poll(() => scene.connections(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 4 }]);
  });
});

describe('control after many moves', () => {
  it('holds no more than before them', async () => {
    const { sessionId } = await scene.publishOnA();
    const held = async (kind: string): Promise<number> => {
      const text = await (await fetch(`${harness.url}/metrics`)).text();
      return Number(new RegExp(`godwit_control_held\\{kind="${kind}"\\} (\\d+)`).exec(text)?.[1]);
    };
    for (const target of [b, a, b, a]) {
      expect(await harness.migrate(sessionId, { target: target.nodeId })).toMatchObject({
        status: 'completed',
      });
    }
    expect(await held('waits_for_the_end')).toBe(0);
    await expect.poll(() => held('moves_running')).toBe(0);
    await expect.poll(() => held('migrations_running')).toBe(0);
  });
});
