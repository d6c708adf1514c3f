import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Timings } from '../context.js';
import type { FakeClient } from './fake-client.js';
import { offerSdp } from './fake-client.js';
import { scriptMoves, type FakeNode } from './fake-node.js';
import { Harness } from './harness.js';

/** Control with two fake nodes that move transports to and fro. Fields are there while a test runs. */
export interface TwoNodes {
  harness: Harness;
  a: FakeNode;
  b: FakeNode;
  /** One client that publishes on node a, which is the session's home. */
  publishOnA(options?: { pathMethod?: 'candidate' | 'restart' }): Promise<{
    sessionId: string;
    client: FakeClient & { joined: { connection: { connectionId: string } } };
    transportId: string;
    streamId: string;
  }>;
  /** The session's connections as the admin API shows them. */
  connections(sessionId: string): Promise<unknown>;
}

const SHORT: Partial<Timings> = {
  pathProofMs: 300,
  transferMs: 300,
  transferAloneMs: 100,
  restartAnswerMs: 300,
  connectedWaitMs: 200,
  nodeCommandMs: 1_000,
  nodeDeadMs: 200,
};

/** To be called once in a test file: one control for the file, two fresh nodes for each test. */
export function useTwoNodes(timings: Partial<Timings> = SHORT): TwoNodes {
  const scene = { publishOnA, connections } as TwoNodes;
  beforeAll(async () => {
    scene.harness = await Harness.start({ timings });
  }, 60_000);
  afterAll(() => scene.harness.close());
  beforeEach(async () => {
    scene.a = await scene.harness.node();
    scene.b = await scene.harness.node();
    scriptMoves(scene.a, scene.b);
  });
  afterEach(async () => {
    scene.a.stop();
    scene.b.stop();
    await Promise.all([scene.a.ended, scene.b.ended]);
  });

  async function publishOnA(
    options: { pathMethod?: 'candidate' | 'restart' } = {},
  ): ReturnType<TwoNodes['publishOnA']> {
    const { harness, a } = scene;
    const sessionId = await harness.session();
    await harness.storage.sessions.setHomeNode(sessionId, a.nodeId);
    const client = await harness.join(sessionId, options);
    const { transportId, streamId } = await harness.publish(client, a);
    return { sessionId, client, transportId, streamId };
  }

  async function connections(sessionId: string): Promise<unknown> {
    const { harness } = scene;
    const response = await fetch(`${harness.url}/admin/v1/sessions/${sessionId}`, {
      headers: { authorization: `Bearer ${harness.control.secrets.adminToken}` },
    });
    return ((await response.json()) as { connections: unknown[] }).connections;
  }
  return scene;
}

/** Answers restart offers as a browser does, with new credentials each time. */
export function answerRestarts(client: FakeClient): { count: number } {
  const restarts = { count: 0 };
  const loop = async (): Promise<void> => {
    for (;;) {
      const offer = await client.event('restartOffer', ({ restartId }) => !seen.has(restartId));
      seen.add(offer.restartId);
      restarts.count += 1;
      const sdp = offerSdp(
        [
          { mid: '0', kind: 'audio', direction: 'sendonly', ssrc: 1_000 },
          { mid: '1', kind: 'video', direction: 'sendonly', ssrc: 1_001 },
        ],
        { ufrag: `rest${restarts.count}`, pwd: 'r'.repeat(24) },
      ).replaceAll('a=setup:actpass', 'a=setup:active');
      await client.request('restartAnswer', { restartId: offer.restartId, sdp }).catch(() => undefined);
    }
  };
  const seen = new Set<string>();
  void loop();
  return restarts;
}
