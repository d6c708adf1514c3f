import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK_GIVE_UP_MS, CALLBACKS_PER_PROJECT_MAX } from './limits.js';
import { newSessionId } from './ids.js';
import type { FakeNode } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';
import { newSessionRecord } from '@godwit/storage';
import { CallbackReceiver, verifySignature } from '@godwit/testing';

const HOUR_MS = 3_600_000;
const PATIENCE = { timeout: 10_000, interval: 20 };
let harness: Harness;
let node: FakeNode;
let receiver: CallbackReceiver;

beforeAll(async () => {
  harness = await Harness.start();
  node = await harness.node();
}, 60_000);
afterAll(() => harness.close());
afterEach(async () => {
  harness.clock.offsetMs = 0;
  for (const { callbackId, apiKey } of await harness.storage.callbacks.list(SECRETS.apiKey))
    await harness.storage.callbacks.remove(apiKey, callbackId, {
      atMs: 0,
      actor: 'admin',
      action: 'test',
      subject: apiKey,
      detail: {},
    });
  await receiver.close();
});

async function admin(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${harness.url}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${SECRETS.adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const listenTo = (url: string, projectId = SECRETS.apiKey): Promise<unknown> =>
  admin('PUT', `projects/${projectId}`, { callbackUrls: { session: url } });

/** Somebody joins and leaves. */
async function visit(sessionId: string): Promise<void> {
  const client = await harness.join(sessionId);
  await client.request('disconnect');
}
const VISIT = ['sessionCreated', 'connectionCreated', 'connectionDestroyed', 'sessionDestroyed'];

describe('session monitoring', () => {
  it('tells what happens in a session, in order, with the documented bodies', async () => {
    receiver = await CallbackReceiver.start();
    await listenTo(receiver.url);
    const sessionId = await harness.session();
    const ada = await harness.join(sessionId, { data: 'name=Ada' });
    const { streamId } = await harness.publish(ada, node);
    const bob = await harness.join(sessionId, { role: 'subscriber' });
    await ada.request('destroyStream', { streamId });
    await bob.request('disconnect');
    await ada.request('disconnect');
    await expect
      .poll(() => receiver.events(sessionId), PATIENCE)
      .toEqual([
        'sessionCreated',
        'connectionCreated',
        'streamCreated',
        'connectionCreated',
        'streamDestroyed',
        'connectionDestroyed',
        'connectionDestroyed',
        'sessionDestroyed',
      ]);
    const [created, joined, published] = receiver.received.map(({ body }) => body);
    const { connectionId, creationTime } = ada.joined.connection;
    const connection = { id: connectionId, createdAt: creationTime, data: 'name=Ada' };
    const common = { sessionId, projectId: SECRETS.apiKey, timestamp: expect.any(Number) as unknown };
    expect(created).toEqual({ ...common, event: 'sessionCreated' });
    expect(joined).toEqual({ ...common, event: 'connectionCreated', connection });
    expect(published).toEqual({
      ...common,
      event: 'streamCreated',
      stream: {
        id: streamId,
        connection,
        createdAt: expect.any(Number) as unknown,
        name: 'camera',
        videoType: 'camera',
      },
    });
    expect(receiver.received.slice(4).map(({ body }) => body['reason'])).toEqual(
      Array(4).fill('clientDisconnected'),
    );
  });

  it('tells why a client and its streams are gone', async () => {
    receiver = await CallbackReceiver.start();
    await listenTo(receiver.url);
    const sessionId = await harness.session();
    const ada = await harness.join(sessionId);
    const { streamId } = await harness.publish(ada, node);
    const moderator = await harness.join(sessionId, { role: 'moderator' });
    await moderator.request('forceUnpublish', { streamId });
    await harness.publish(ada, node, 2_000);
    await moderator.request('forceDisconnect', { connectionId: ada.joined.connection.connectionId });
    await expect.poll(() => receiver.events(sessionId).length, PATIENCE).toBe(8);
    const ends = receiver.received.filter(({ event }) => event.endsWith('Destroyed'));
    expect(ends.map(({ event, body }) => [event, body['reason']])).toEqual([
      ['streamDestroyed', 'forceUnpublished'],
      ['streamDestroyed', 'forceDisconnected'],
      ['connectionDestroyed', 'forceDisconnected'],
    ]);
    await moderator.request('disconnect');
  });

  it('sends only what was asked for', async () => {
    receiver = await CallbackReceiver.start();
    const response = await fetch(`${harness.url}/v2/project/${SECRETS.apiKey}/callback`, {
      method: 'POST',
      headers: { 'x-opentok-auth': await harness.projectToken(), 'content-type': 'application/json' },
      body: JSON.stringify({ group: 'session', event: 'sessionDestroyed', url: receiver.url }),
    });
    expect(response.status).toBe(200);
    await visit(await harness.session());
    await expect.poll(() => receiver.events(), PATIENCE).toEqual(['sessionDestroyed']);
  });
});

describe('delivery', () => {
  it('is signed, with the signature secret of the project if it has one', async () => {
    receiver = await CallbackReceiver.start();
    await listenTo(receiver.url);
    await visit(await harness.session());
    await expect.poll(() => receiver.received.length, PATIENCE).toBe(4);
    const [first] = receiver.received;
    if (first === undefined) throw new Error('nothing came');
    const claims = await verifySignature(first, SECRETS.apiSecret);
    expect(claims).toMatchObject({ application_id: SECRETS.apiKey, jti: first.headers['idempotency-key'] });
    await expect(verifySignature(first, 'another secret of somebody')).rejects.toThrow();
    await expect(verifySignature({ ...first, text: `${first.text} ` }, SECRETS.apiSecret)).rejects.toThrow();
    const signatureSecret = 'a-signature-secret-of-its-own';
    await admin('PUT', `projects/${SECRETS.apiKey}`, { signatureSecret });
    await visit(await harness.session());
    await expect.poll(() => receiver.received.length, PATIENCE).toBe(8);
    const later = receiver.received[7];
    if (later === undefined) throw new Error('nothing came');
    await verifySignature(later, signatureSecret);
    await admin('PUT', `projects/${SECRETS.apiKey}`, { signatureSecret: null });
  });

  it('is repeated under the same id until it succeeds, and nothing overtakes what failed', async () => {
    receiver = await CallbackReceiver.start();
    await listenTo(receiver.url);
    const sessionId = await harness.session();
    let failures = 3;
    receiver.react = ({ event }) => (event === 'connectionCreated' && failures-- > 0 ? 500 : 204);
    await visit(sessionId);
    await expect
      .poll(
        () => {
          // The waits between attempts pass at once.
          harness.clock.offsetMs += HOUR_MS / 60;
          return receiver.events(sessionId);
        },
        { ...PATIENCE, interval: 100 },
      )
      .toEqual([
        'sessionCreated',
        ...Array<string>(4).fill('connectionCreated'),
        'connectionDestroyed',
        'sessionDestroyed',
      ]);
    const ids = receiver.received
      .filter(({ event }) => event === 'connectionCreated')
      .map(({ headers }) => headers['idempotency-key']);
    expect(new Set(ids).size).toBe(1);
  });

  it('goes on in other sessions and projects while one receiver answers nothing', async () => {
    receiver = await CallbackReceiver.start();
    const slow = await CallbackReceiver.start();
    slow.react = () => 'hang';
    await listenTo(slow.url);
    await admin('POST', 'projects', { id: 'quick', name: 'quick' });
    await listenTo(receiver.url, 'quick');
    for (let session = 0; session < CALLBACKS_PER_PROJECT_MAX + 4; session++)
      await visit(await harness.session());
    await expect.poll(() => slow.received.length, PATIENCE).toBe(CALLBACKS_PER_PROJECT_MAX);
    const sessionId = newSessionId('quick', '', Date.now());
    const { connectionId } = await visitOf('quick', sessionId);
    await expect.poll(() => receiver.events(sessionId), PATIENCE).toEqual(VISIT);
    expect(receiver.received[1]?.body).toMatchObject({
      projectId: 'quick',
      connection: { id: connectionId },
    });
    await slow.close();
  });

  it('that never succeeds is given up after a day, kept, and sent again when somebody asks', async () => {
    receiver = await CallbackReceiver.start();
    await listenTo(receiver.url);
    receiver.react = () => 503;
    const sessionId = await harness.session();
    await visit(sessionId);
    await expect.poll(() => receiver.events(sessionId).length, PATIENCE).toBeGreaterThan(0);
    const path = `/v2/project/${SECRETS.apiKey}/callback/dead`;
    const dead = async (): Promise<{ id: string; event: string; lastError: string; attempts: number }[]> => {
      const headers = { 'x-opentok-auth': await harness.projectToken() };
      const { items } = (await (await fetch(harness.url + path, { headers })).json()) as { items: never[] };
      return items;
    };
    await expect
      .poll(
        async () => {
          harness.clock.offsetMs += CALLBACK_GIVE_UP_MS;
          // The token of the test is of another day.
          const jobs = await harness.storage.jobs.listDead(SECRETS.apiKey);
          return jobs.length;
        },
        { ...PATIENCE, interval: 200 },
      )
      .toBe(4);
    harness.clock.offsetMs = 0;
    const given = await dead();
    expect(given.map(({ event }) => event).toReversed()).toEqual(VISIT);
    expect(given[0]).toMatchObject({ lastError: 'the receiver answered 503' });
    receiver.react = () => 204;
    receiver.received.length = 0;
    for (const { id } of given.toReversed()) await admin('POST', `callbacks/dead/${id}/replay`);
    await expect.poll(() => receiver.events(sessionId), PATIENCE).toEqual(VISIT);
    expect(await dead()).toEqual([]);
  });

  it('is not begun for a receiver that was taken away', async () => {
    receiver = await CallbackReceiver.start();
    await listenTo(receiver.url);
    receiver.react = () => 500;
    await visit(await harness.session());
    await expect.poll(() => receiver.received.length, PATIENCE).toBe(1);
    await admin('PUT', `projects/${SECRETS.apiKey}`, { callbackUrls: { session: null } });
    await visit(await harness.session());
    harness.clock.offsetMs = HOUR_MS;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(1);
  });
});

/** As `visit`, in a session of another project. */
async function visitOf(apiKey: string, sessionId: string): Promise<{ connectionId: string }> {
  const nowMs = Date.now();
  const connectionId = sessionId.slice(-36);
  await harness.storage.sessions.create(newSessionRecord({ sessionId, apiKey, createdAtMs: nowMs }));
  const { connectionBegunEvents, connectionEndedEvents } = await import('./callbacks/events.js');
  const happening = { sessionId, apiKey, nowMs };
  await harness.storage.connections.create(
    {
      connectionId,
      sessionId,
      data: '',
      role: 'publisher',
      sessionMigration: true,
      pathMethod: 'candidate',
      eventsSuppressed: false,
      layoutClasses: [],
      resumeTokenHash: '',
      createdAtMs: nowMs,
      endedAtMs: null,
      endReason: null,
    },
    connectionBegunEvents(happening, { connectionId, creationTime: nowMs, data: '' }),
  );
  const reason = 'clientDisconnected';
  await harness.storage.connections.end(
    connectionId,
    reason,
    nowMs,
    connectionEndedEvents(happening, reason),
  );
  return { connectionId };
}
