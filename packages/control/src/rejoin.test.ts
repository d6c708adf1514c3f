import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deferred } from './deadline.js';
import { FakeClient, offerSdp, type ConnectResult, type OfferResult } from './testing/fake-client.js';
import { scriptMoves, type FakeNode } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';

const NODE_MISSING_MS = 1_000;
const REJOIN_MS = 1_500;

let harness: Harness;
let dying: FakeNode;
let living: FakeNode;
let sessionId: string;

beforeAll(async () => {
  harness = await Harness.start({
    timings: { nodeMissingMs: NODE_MISSING_MS, rejoinMs: REJOIN_MS, connectedWaitMs: 200 },
  });
}, 60_000);
afterAll(() => harness.close());

beforeEach(async () => {
  dying = await harness.node();
  living = await harness.node();
  sessionId = await harness.session();
  await harness.storage.sessions.setHomeNode(sessionId, dying.nodeId);
});

afterEach(async () => {
  const nodes = [dying, living];
  for (const node of nodes) node.stop();
  await Promise.all(nodes.map(({ ended }) => ended));
  harness.clock.offsetMs = 0;
});

async function kill(): Promise<void> {
  dying.stop();
  await dying.ended;
}

/** What the SDK sends from its second peer connection: everything it holds. */
function offerAnew(
  client: FakeClient,
  held: { publishes?: string; subscribes?: string },
  ssrc = 9_000,
): Promise<OfferResult> {
  const direction = held.publishes === undefined ? 'recvonly' : 'sendonly';
  const mids = { audioMid: '0', videoMid: '1' };
  return client.request<OfferResult>('offer', {
    newTransport: true,
    sdp: offerSdp(
      [
        { mid: '0', kind: 'audio', direction, ...(held.publishes && { ssrc }) },
        { mid: '1', kind: 'video', direction, ...(held.publishes && { ssrc: ssrc + 1 }) },
      ],
      { ufrag: 'anew', pwd: 'd'.repeat(24) },
    ),
    publications: held.publishes === undefined ? [] : [{ streamId: held.publishes, ...mids }],
    subscriptions: held.subscribes === undefined ? [] : [{ streamId: held.subscribes, ...mids }],
  });
}

async function subscriberOf(streamId: string): Promise<FakeClient> {
  const client = await harness.join(sessionId);
  await client.request<OfferResult>('offer', {
    sdp: offerSdp([
      { mid: '0', kind: 'audio', direction: 'recvonly' },
      { mid: '1', kind: 'video', direction: 'recvonly' },
    ]),
    publications: [],
    subscriptions: [{ streamId, audioMid: '0', videoMid: '1' }],
  });
  return client;
}

const heard = (client: FakeClient, name: string): boolean =>
  client.events.some(({ event }) => event === name);

describe('a client whose node is dead', () => {
  it('makes another transport on a living node, under its old ids; the others hear nothing of it', async () => {
    const publisher = await harness.join(sessionId);
    const { streamId, transportId } = await harness.publish(publisher, dying);
    await harness.storage.sessions.setHomeNode(sessionId, living.nodeId);
    const subscriber = await subscriberOf(streamId);
    await kill();
    await publisher.event('transportSuspect');
    await publisher.request('requestRestart');
    await publisher.event('transportLost');
    const answer = await offerAnew(publisher, { publishes: streamId });
    expect(answer.refused).toEqual([]);
    const made = living.received('createTransport').at(-1)!;
    expect(made.transportId).not.toBe(transportId);
    living.send({ event: 'transportConnected', transportId: made.transportId, epoch: made.epoch });
    const headers = { authorization: `Bearer ${SECRETS.adminToken}` };
    const view = (await (
      await fetch(`${harness.url}/admin/v1/sessions/${sessionId}`, { headers })
    ).json()) as {
      connections: { connectionId: string; nodeId: string }[];
    };
    expect(view.connections).toContainEqual(
      expect.objectContaining({
        connectionId: publisher.joined.connection.connectionId,
        nodeId: living.nodeId,
      }),
    );
    expect(await harness.storage.transports.get(transportId)).toMatchObject({
      endedAtMs: expect.any(Number) as unknown,
    });
    expect(heard(subscriber, 'streamDestroyed') || heard(subscriber, 'connectionDestroyed')).toBe(false);
  });

  it('sends what to nodes is another stream: its indices begin anew, the SSRC towards subscribers goes on', async () => {
    const publisher = await harness.join(sessionId);
    const { streamId } = await harness.publish(publisher, dying);
    const subscriber = await subscriberOf(streamId);
    await kill();
    await Promise.all([publisher.request('requestRestart'), subscriber.request('requestRestart')]);
    // Whoever is first finds what the other published still known.
    expect((await offerAnew(subscriber, { subscribes: streamId })).refused).toEqual([]);
    const receiver = living.received('createTransport').at(-1)!.transportId;
    const egress = () =>
      living
        .received('configureTransport')
        .findLast(({ transportId }) => transportId === receiver)
        ?.media.egress.map((rule) => ({ streamId: rule.streamId, ssrc: rule.ssrc }));
    const before = egress();
    expect(before?.map((rule) => rule.streamId)).toEqual([streamId, streamId]);
    await offerAnew(publisher, { publishes: streamId });
    await expect.poll(() => egress()?.[0]?.streamId).not.toBe(streamId);
    const after = egress();
    expect(after?.map(({ ssrc }) => ssrc)).toEqual(before?.map(({ ssrc }) => ssrc));
    const ingress = living.received('configureTransport').flatMap(({ media }) => media.ingress);
    expect(new Set(ingress.map((rule) => rule.streamId))).toEqual(
      new Set(after?.map((rule) => rule.streamId)),
    );
    const routes = living.received('setStreams').flatMap(({ streams }) => streams);
    expect(routes.findLast((route) => route.streamId === after?.[0]?.streamId)).toMatchObject({
      ingressNodeId: living.nodeId,
      consumerNodeIds: [living.nodeId],
    });
    expect(subscriber.events.filter(({ event }) => event.startsWith('stream'))).toEqual([]);
  });

  // The mappings in the state are those of the old feed: on the new one's egress they would hold everything back.
  it('leaves a subscriber that moves meanwhile to the feed that its source still sends; the new one follows', async () => {
    const publisher = await harness.join(sessionId);
    const { streamId } = await harness.publish(publisher, dying);
    const subscriber = await subscriberOf(streamId);
    await kill();
    await Promise.all([publisher.request('requestRestart'), subscriber.request('requestRestart')]);
    await offerAnew(subscriber, { subscribes: streamId });
    const { transportId, epoch } = living.received('createTransport').at(-1)!;
    living.send({ event: 'transportConnected', transportId, epoch });
    const target = await harness.node();
    scriptMoves(living, target);
    const [making, routing] = [deferred<undefined>(), deferred<undefined>()];
    const made = deferred<void>();
    living.script.createTransport = () => {
      made.resolve();
      return making.promise;
    };
    target.script.setStreams = () => routing.promise;
    const rejoined = offerAnew(publisher, { publishes: streamId });
    await made.promise;
    const moved = harness.migrate(sessionId, { target: target.nodeId });
    await expect.poll(() => target.received('setStreams')).toHaveLength(1);
    making.resolve(undefined);
    const isOther = (row: { sessionId: string; transportId: string; ownerNodeId: string }): boolean =>
      row.sessionId === sessionId && row.ownerNodeId === living.nodeId && row.transportId !== transportId;
    await expect.poll(async () => (await harness.storage.transports.listLive()).some(isOther)).toBe(true);
    routing.resolve(undefined);
    await Promise.all([rejoined, moved]);
    const feeds = (media: { egress: { streamId: string }[] } | undefined): string[] | undefined =>
      media?.egress.map((rule) => rule.streamId);
    expect(feeds(target.received('prepareMove').at(0)?.media)).toEqual([streamId, streamId]);
    await expect
      .poll(() => feeds(target.received('configureTransport').at(-1)?.media)?.[0])
      .toSatisfy((feed) => feed !== undefined && feed !== streamId);
    target.stop();
    await target.ended;
  });

  it('hears that again when it resumes and what it missed cannot be replayed', async () => {
    const publisher = await harness.join(sessionId);
    await harness.publish(publisher, dying);
    await kill();
    await publisher.request('requestRestart');
    publisher.drop();
    const again = await FakeClient.open(harness.url);
    const { connection, resumeToken } = publisher.joined;
    const result = await again.request<ConnectResult>('resume', {
      connectionId: connection.connectionId,
      resumeToken,
      lastSeq: 2 ** 20,
    });
    expect(result.resumed).toBe(false);
    expect((await again.event('transportLost')).seq).toBeGreaterThan(result.seq);
  });

  it('hears that again when it asks for a restart', async () => {
    const publisher = await harness.join(sessionId);
    await harness.publish(publisher, dying);
    await kill();
    await publisher.request('requestRestart');
    const { seq } = await publisher.event('transportLost');
    await publisher.request('requestRestart');
    await publisher.event('transportLost', (event) => event.seq > seq);
  });

  it('that makes another one while its wish for a restart waits gets no restart of that', async () => {
    const publisher = await harness.join(sessionId);
    const { streamId } = await harness.publish(publisher, dying);
    await kill();
    const asked = publisher.request('requestRestart');
    await publisher.request('ping');
    expect((await offerAnew(publisher, { publishes: streamId })).refused).toEqual([]);
    await asked;
    expect(living.received('restartIce')).toEqual([]);
    expect(heard(publisher, 'restartOffer')).toBe(false);
  });

  it('that makes none in time is disconnected for its network', async () => {
    const publisher = await harness.join(sessionId);
    await harness.publish(publisher, dying);
    await kill();
    await publisher.request('requestRestart');
    expect(await publisher.event('sessionDisconnected')).toMatchObject({ reason: 'networkDisconnected' });
  });

  it('keeps its ids when no node is there at first', async () => {
    const publisher = await harness.join(sessionId);
    const { streamId } = await harness.publish(publisher, dying);
    await kill();
    living.stop();
    await living.ended;
    await publisher.request('requestRestart');
    await expect(offerAnew(publisher, { publishes: streamId })).rejects.toMatchObject({
      name: 'OT_ICE_WORKFLOW_FAILED',
    });
    living = await harness.node();
    expect((await offerAnew(publisher, { publishes: streamId })).refused).toEqual([]);
  });
});

describe('a node that is only cut off from control', () => {
  it('keeps its calls: nobody is asked to leave it as long as its clients do not complain', async () => {
    const publisher = await harness.join(sessionId);
    const { transportId, streamId } = await harness.publish(publisher, dying);
    await kill();
    await publisher.event('transportSuspect');
    harness.clock.offsetMs = 60_000;
    const back = await harness.node({ identity: dying.identity, transports: [{ transportId, epoch: 1 }] });
    await expect.poll(() => back.received('configureTransport').at(-1)?.transportId).toBe(transportId);
    expect(heard(publisher, 'transportLost')).toBe(false);
    expect(back.received('setStreams')[0]?.streams).toMatchObject([{ streamId }]);
    back.stop();
    await back.ended;
  });

  it('restarts ICE for a client that complained, when it is back in time', async () => {
    const publisher = await harness.join(sessionId);
    const { transportId } = await harness.publish(publisher, dying);
    await kill();
    const asked = publisher.request('requestRestart').catch(() => undefined);
    const back = await harness.node({ identity: dying.identity, transports: [{ transportId, epoch: 1 }] });
    await publisher.event('restartOffer');
    expect(heard(publisher, 'transportLost')).toBe(false);
    back.stop();
    await back.ended;
    publisher.drop();
    await asked;
  });
});
