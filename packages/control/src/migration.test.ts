import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CANDIDATE_PRIORITY_BASE, CANDIDATE_PRIORITY_STEP } from './limits.js';
import type { FakeClient, OfferResult } from './testing/fake-client.js';
import { offerSdp } from './testing/fake-client.js';
import { Refusal, scriptMoves, type FakeNode } from './testing/fake-node.js';
import { Harness } from './testing/harness.js';

let harness: Harness;
let a: FakeNode;
let b: FakeNode;

beforeAll(async () => {
  harness = await Harness.start({
    timings: {
      pathProofMs: 300,
      transferMs: 300,
      restartAnswerMs: 300,
      connectedWaitMs: 200,
      nodeCommandMs: 1_000,
    },
  });
}, 60_000);
afterAll(() => harness.close());
beforeEach(async () => {
  a = await harness.node();
  b = await harness.node();
  scriptMoves(a, b);
});
afterEach(async () => {
  a.stop();
  b.stop();
  await Promise.all([a.ended, b.ended]);
});

/** One publisher on node a, whose id is in `sessionId`'s home. */
async function publishOnA(options: { pathMethod?: 'candidate' | 'restart' } = {}): Promise<{
  sessionId: string;
  client: FakeClient & { joined: { connection: { connectionId: string } } };
  transportId: string;
  streamId: string;
}> {
  const sessionId = await harness.session();
  await harness.storage.sessions.setHomeNode(sessionId, a.nodeId);
  const client = await harness.join(sessionId, options);
  const { transportId, streamId } = await harness.publish(client, a);
  return { sessionId, client, transportId, streamId };
}

async function owner(sessionId: string): Promise<unknown> {
  const response = await fetch(`${harness.url}/admin/v1/sessions/${sessionId}`, {
    headers: { authorization: `Bearer ${harness.control.secrets.adminToken}` },
  });
  return ((await response.json()) as { connections: unknown[] }).connections;
}

describe('migrating a session', () => {
  it('moves a transport in the order of HANDOVER 2 and records the owner', async () => {
    const { sessionId, client, transportId, streamId } = await publishOnA();
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
    expect(await owner(sessionId)).toEqual([
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
    expect(routesAt(a).at(-1)).not.toHaveProperty('upcomingIngress');

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
      upcomingIngress: { nodeId: c.nodeId, epoch },
    });
    expect(routesAt(a).at(-1)).toMatchObject({ ingressNodeId: c.nodeId, ingressEpoch: epoch });
    expect(routesAt(a).at(-1)).not.toHaveProperty('upcomingIngress');
    c.stop();
    await c.ended;
  });

  it('keeps the gap that the moved client reports, and nobody else', async () => {
    const { sessionId, client } = await publishOnA();
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

  it('comes back when an attempt fails before the proof, and the next grant is above every earlier one', async () => {
    const { sessionId, client, transportId } = await publishOnA();
    a.script.startMove = () => ({});
    expect(await harness.migrate(sessionId)).toMatchObject({
      status: 'failed',
      connections: [{ outcome: 'failed', failure: 'path-not-proven' }],
    });
    expect(await client.event('moveEnded')).toMatchObject({ outcome: 'failed', nodeId: a.nodeId });
    expect(a.received('cancelMove')).toHaveLength(1);
    expect(b.received('cancelMove')).toHaveLength(1);
    expect(await owner(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }]);
    scriptMoves(a, b);
    expect(await harness.migrate(sessionId, { target: b.nodeId })).toMatchObject({ status: 'completed' });
    expect(a.received('startMove').at(-1)).toMatchObject({ transportId, epoch: 4, returnEpoch: 5 });
    expect(await owner(sessionId)).toMatchObject([{ nodeId: b.nodeId, epoch: 4 }]);
    // The address that the client has seen in the failed attempt is not offered again.
    const [first, second] = b.received('prepareMove');
    expect(second?.usedAddresses).toEqual([
      ...(first?.usedAddresses ?? []),
      `127.0.0.1:${b.addresses[0]?.port}`,
    ]);
  });

  it('rehearses everything but the transfer: nothing changes hands, nobody is disconnected', async () => {
    const { sessionId, client } = await publishOnA();
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
    expect(await owner(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }, {}]);
    expect(plain.closed).toBeNull();
    expect(await harness.migrate(sessionId)).toMatchObject({ status: 'completed' });
  });

  it('restarts ICE at the owner when a rehearsal has no address left to return by', async () => {
    const { sessionId, client } = await publishOnA();
    const restarts = answerRestarts(client);
    for (let round = 0; round < 5; round++) {
      expect(await harness.migrate(sessionId, { rehearsal: true })).toMatchObject({ status: 'completed' });
    }
    expect(restarts.count).toBe(1);
    expect(a.received('restartIce')).toHaveLength(1);
  });

  it('offers an ICE restart once every address of the pool has been seen, and goes on with new ones', async () => {
    const { sessionId, client } = await publishOnA();
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
    expect(await owner(sessionId)).toMatchObject([{ nodeId: a.nodeId }]);
  });

  it('moves a client that takes no candidates by an ICE restart with the same fingerprint', async () => {
    const { sessionId, client } = await publishOnA({ pathMethod: 'restart' });
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

  it('disconnects a client without sessionMigration once, with its reason, and leaves the others alone', async () => {
    const { sessionId, client } = await publishOnA();
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
    const { sessionId, client } = await publishOnA();
    const migration = await harness.migrate(sessionId, { target: a.nodeId });
    expect(migration).toMatchObject({
      status: 'completed',
      progress: { moved: 0, total: 0 },
      connections: [],
    });
    expect(client.closed).toBeNull();
  });

  it('queues a negotiation behind the move and sends it to the new owner', async () => {
    const { sessionId, client, streamId } = await publishOnA();
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

  it.each([
    ['relays-not-ready', 'relays-not-ready'],
    ['internal', 'target-refused'],
    ['stopping', 'target-refused'],
  ] as const)(
    'names the reason when the target answers %s, before the client hears of anything',
    async (code, failure) => {
      const { sessionId, client } = await publishOnA();
      b.script.prepareMove = () => {
        throw new Refusal(code);
      };
      expect(await harness.migrate(sessionId)).toMatchObject({
        status: 'failed',
        connections: [{ failure }],
      });
      expect(client.events.some(({ event }) => event === 'moveCandidate' || event === 'moveEnded')).toBe(
        false,
      );
      expect(await owner(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 1 }]);
    },
  );

  it('records a source that took its transport back under the reserved epoch', async () => {
    const { sessionId } = await publishOnA();
    a.script.startMove = ({ moveId, transportId, returnEpoch }) => {
      const ended = {
        event: 'moveEnded',
        moveId,
        transportId,
        ownerNodeId: a.nodeId,
        epoch: returnEpoch,
      } as const;
      setTimeout(
        () => a.send({ ...ended, outcome: 'failed', failure: 'transfer-refused', measures: {} }),
        10,
      );
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({
      connections: [{ failure: 'transfer-refused' }],
    });
    expect(await owner(sessionId)).toMatchObject([{ nodeId: a.nodeId, epoch: 3 }]);
  });

  it('adopts the end of a move that it had given up waiting for', async () => {
    const { sessionId, transportId } = await publishOnA();
    a.script.startMove = ({ moveId }) => {
      setTimeout(() => a.send({ event: 'moveProven', moveId, transportId, measures: {} }), 5);
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({
      connections: [{ failure: 'transfer-timeout' }],
    });
    expect(a.received('cancelMove').at(-1)?.force).toBe(true);
    const row = (): ReturnType<typeof harness.storage.transports.get> =>
      harness.storage.transports.get(transportId);
    expect((await row())?.intent).not.toBeNull();
    const { moveId, epoch } = a.received('startMove').at(-1)!;
    b.send({
      event: 'moveEnded',
      moveId,
      transportId,
      outcome: 'completed',
      ownerNodeId: b.nodeId,
      epoch,
      measures: {},
    });
    await expect.poll(async () => (await row())?.ownerNodeId).toBe(b.nodeId);
    expect((await row())?.intent).toBeNull();
  });

  it('fails with a named reason when a node goes away before the proof; calls go on', async () => {
    const { sessionId, client } = await publishOnA();
    a.script.startMove = () => {
      setTimeout(() => b.stop(), 10);
      return {};
    };
    expect(await harness.migrate(sessionId)).toMatchObject({
      connections: [{ failure: 'target-unreachable' }],
    });
    await expect(client.request('ping')).resolves.toEqual({});
  });

  it.each([
    ['before the proof', false],
    ['after the transfer', true],
  ])('closes the transport wherever it is when its client leaves %s', async (_when, transferred) => {
    const { sessionId, client, transportId } = await publishOnA();
    const start = a.script.startMove;
    a.script.startMove = async (command) => {
      await client.request('disconnect');
      return transferred ? start?.(command) : {};
    };
    const migration = await harness.migrate(sessionId, { target: b.nodeId });
    expect(migration).toMatchObject({ status: 'completed' });
    expect(b.received('closeTransport')).toMatchObject([{ transportId, epoch: 3 }]);
    expect((await harness.storage.transports.get(transportId))?.endedAtMs).not.toBeNull();
  });

  it('moves everything away from a node that is stopping', async () => {
    const { sessionId, client } = await publishOnA();
    a.send({ event: 'stopping' });
    expect(await client.event('moveEnded')).toMatchObject({ outcome: 'completed', nodeId: b.nodeId });
    expect(await owner(sessionId)).toMatchObject([{ nodeId: b.nodeId }]);
    const late = await harness.join(sessionId);
    await harness.publish(late, b, 3_000);
  });

  it('answers 15214 while one runs, and 404 for what does not exist', async () => {
    const { sessionId } = await publishOnA();
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
    const { sessionId } = await publishOnA();
    b.stop();
    await b.ended;
    const isGone = async (): Promise<boolean> =>
      (await harness.rest('POST', `${sessionId}/migrate`)).status === 409;
    await expect.poll(isGone).toBe(true);
    const answer = await harness.rest('POST', `${sessionId}/migrate`);
    expect(answer.body).toMatchObject({ code: 70011, message: 'No other node is in service' });
  });
});

/** Answers restart offers as a browser does, with new credentials each time. */
function answerRestarts(client: FakeClient): { count: number } {
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
