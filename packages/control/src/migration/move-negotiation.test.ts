import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness.js';
import type { MoveStep } from '../testing/model-node.js';
import {
  expectAgreement,
  openRaceScene,
  requestsBegun,
  type PathMethod,
  type RaceScene,
} from '../testing/race-scene.js';
import type { FakeNode } from '../testing/fake-node.js';

// Negotiation and ICE restarts that meet a move (HANDOVER 7), in interleavings that a table of steps does not reach.

let harness: Harness;
let nodes: [FakeNode, FakeNode];

beforeAll(async () => {
  harness = await Harness.start({
    timings: { pathProofMs: 500, transferMs: 300, restartAnswerMs: 300, connectedWaitMs: 1_000 },
  });
}, 60_000);
afterAll(() => harness.close());
beforeEach(async () => {
  nodes = [await harness.node(), await harness.node()];
});
afterEach(async () => {
  for (const node of nodes) node.stop();
  await Promise.all(nodes.map(({ ended }) => ended));
});

/** A migration whose move of the subject is held at a step. */
async function moving(
  step: MoveStep,
  pathMethod: PathMethod = 'candidate',
): Promise<{ scene: RaceScene; release: () => void; ended: () => Promise<Record<string, unknown>> }> {
  const scene = await openRaceScene(harness, nodes, pathMethod);
  const held = scene.a.hold(step, scene.transportId);
  const { body } = await harness.rest('POST', `${scene.sessionId}/migrate`, { target: scene.b.node.nodeId });
  await held.reached;
  const ended = () => harness.migrationEnd(scene.sessionId, String(body['id']));
  return { scene, release: held.release, ended };
}

function failureOf(migration: Record<string, unknown>, { subject }: RaceScene): unknown {
  const moves = migration['connections'] as { connectionId: string; failure?: string }[];
  return moves.find(({ connectionId }) => connectionId === subject.connectionId)?.failure;
}

const ufrags = (sdp: string | undefined): string[] => [
  ...new Set([...(sdp ?? '').matchAll(/a=ice-ufrag:(\S+)/g)].map(([, ufrag]) => ufrag ?? '')),
];

describe('an owner that says "moved"', () => {
  it('is not asked twice: the target that took the transport over is configured, and recorded', async () => {
    const { scene, ended, release } = await moving('transferred');
    expect(failureOf(await ended(), scene)).toBe('transfer-timeout');
    await scene.subject.call.publish();
    await expectAgreement(scene, [scene.subject, scene.other]);
    expect(scene.b.owned.has(scene.transportId)).toBe(true);
    release();
  });

  it('has taken the transport back: it is configured in the epoch that was kept for it', async () => {
    const { scene, ended, release } = await moving('proven');
    const word = scene.a.hold('transferred', scene.transportId);
    scene.b.prepared.delete(scene.transportId);
    release();
    await word.reached;
    expect(failureOf(await ended(), scene)).toBe('transfer-timeout');
    await scene.subject.call.unsubscribe(scene.otherStreams[0]);
    await expectAgreement(scene, [scene.subject, scene.other]);
    expect(scene.a.owned.get(scene.transportId)?.epoch).toBe(3);
    word.release();
  });
});

describe('a transport that its node closes for want of the client', () => {
  it.each(['relays', 'prepare', 'start', 'told', 'proven', 'transferred'] as const)(
    'while a move is held at %s: the client is told, and nothing is left',
    async (step) => {
      const { scene, ended, release } = await moving(step);
      (scene.a.owned.has(scene.transportId) ? scene.a : scene.b).expire(scene.transportId);
      await requestsBegun(scene.other);
      release();
      await ended();
      await scene.subject.client.event('sessionDisconnected');
      await expectAgreement(scene, [scene.other]);
    },
  );
});

describe('ICE restarts around a move', () => {
  it('are offered once to a client that asked several times while it was moving', async () => {
    const { scene, ended, release } = await moving('start');
    const { client, call } = scene.subject;
    const asked = [1, 2, 3].map(() => client.request('requestRestart'));
    await requestsBegun(scene.subject);
    release();
    await Promise.all(asked);
    await ended();
    expect(call.restarts).toBe(1);
    await expectAgreement(scene, [scene.subject, scene.other]);
  });

  it('are waited for by a move that begins while one is in flight', async () => {
    const scene = await openRaceScene(harness, nodes);
    const { client, call } = scene.subject;
    let answer: () => void = () => undefined;
    call.answering = new Promise((resolve) => (answer = resolve));
    const restarted = client.request('requestRestart');
    await client.event('restartOffer');
    const { body } = await harness.rest('POST', `${scene.sessionId}/migrate`);
    await requestsBegun(scene.subject);
    expect(scene.b.node.received('prepareMove').some((each) => each.transportId === scene.transportId)).toBe(
      false,
    );
    answer();
    await restarted;
    expect(await harness.migrationEnd(scene.sessionId, String(body['id']))).toMatchObject({
      status: 'completed',
    });
    const [prepare] = scene.b.node
      .received('prepareMove')
      .filter(({ transportId }) => transportId === scene.transportId);
    const offer = client.events.find((event) => event.event === 'restartOffer');
    expect(ufrags(offer?.event === 'restartOffer' ? offer.sdp : '')).toEqual([prepare?.ice.ufrag]);
  });

  it('that nobody answers leave the agreed credentials in force', async () => {
    const scene = await openRaceScene(harness, nodes);
    const { client, call } = scene.subject;
    const before = ufrags(call.answers.at(-1));
    let answer: () => void = () => undefined;
    call.answering = new Promise((resolve) => (answer = resolve));
    await client.request('requestRestart');
    // The client is busy; its other half offers no more before it has answered. So ask control what it would be told.
    expect(await harness.migrate(scene.sessionId)).toMatchObject({ status: 'completed' });
    const prepare = scene.b.node
      .received('prepareMove')
      .find(({ transportId }) => transportId === scene.transportId);
    expect([prepare?.ice.ufrag]).toEqual(before);
    answer();
  });

  it('answered too late are followed by one at the owner, which is answered', async () => {
    const scene = await openRaceScene(harness, nodes, 'restart');
    const { call } = scene.subject;
    let answer: () => void = () => undefined;
    call.answering = new Promise((resolve) => (answer = resolve));
    expect(failureOf(await harness.migrate(scene.sessionId), scene)).toBe('path-not-proven');
    expect(call.restarts).toBe(1);
    call.answering = Promise.resolve();
    answer();
    await expect.poll(() => scene.a.node.received('setRemoteIce').length).toBe(1);
    expect(call.restarts).toBe(2);
    expect(scene.a.node.received('restartIce')).toHaveLength(1);
    // And negotiation goes on from there.
    await call.publish();
    await expectAgreement(scene, [scene.subject, scene.other]);
    expect(await harness.migrate(scene.sessionId, { target: scene.b.node.nodeId })).toMatchObject({
      status: 'completed',
    });
  });
});
