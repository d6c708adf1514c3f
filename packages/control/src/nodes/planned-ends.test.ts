// How: a real control over a real database, a clock that the test moves on, and a receiver that gets the callbacks.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryStorage, type Storage } from '@godwit/storage';
import { CallbackReceiver, findPostgres, PostgresServer, type ReceivedCallback } from '@godwit/testing';
import { PLANNED_END_LOOK_MS } from '../limits.js';
import type { FakeNode } from '../testing/fake-node.js';
import { scriptMoves } from '../testing/fake-node.js';
import { Harness, SECRETS } from '../testing/harness.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const PATIENCE = { timeout: 10_000, interval: 20 };
/** The clock leaps to control's next look. */
const LOOK_MS = PLANNED_END_LOOK_MS + 1_000;
/** Two looks of control and a delivery: what has not come by then does not come. */
const SILENCE_MS = 1_500;
/** Clients whose sockets the leaps of the clock have closed stay in their sessions for the whole test. */
const TIMINGS = { resumeGraceMs: 600_000, nodeReportGraceMs: 600_000 };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** The database outlives a control that is closed. */
const lasting = (storage: Storage): Storage => ({ ...storage, close: () => Promise.resolve() });

let storage: Storage;
let harness: Harness;
let node: FakeNode;
let other: FakeNode;
let receiver: CallbackReceiver;

beforeAll(async () => {
  storage = await openMemoryStorage();
}, 60_000);
afterAll(() => storage.close());
let port = 41_000;
const addressesOf = (host: string) => [{ address: host, port: port++, family: 'IPv4' as const }];

beforeEach(async () => {
  harness = await Harness.start({ storage: lasting(storage), timings: TIMINGS });
  node = await harness.node({ addresses: addressesOf('192.0.2.1') });
  other = await harness.node({ addresses: addressesOf('192.0.2.2') });
  scriptMoves(node, other);
  receiver = await CallbackReceiver.start();
  await harness.admin('PUT', `projects/${SECRETS.apiKey}`, { callbackUrls: { session: receiver.url } });
});
afterEach(async () => {
  harness.clock.offsetMs = 0;
  for (const { nodeId } of await storage.plannedEnds.list())
    await storage.plannedEnds.remove(nodeId, { atMs: 0, actor: 'test', action: '', subject: '', detail: {} });
  for (const { connectionId } of await storage.connections.listLive())
    await storage.connections.end(connectionId, 'clientDisconnected', 0);
  await harness.close();
  await receiver.close();
});

/** Somebody publishes on that node. */
async function callOn(home: FakeNode): Promise<string> {
  const sessionId = await harness.session();
  await storage.sessions.setHomeNode(sessionId, home.nodeId);
  await harness.publish(await harness.join(sessionId), home);
  return sessionId;
}

/** Somebody publishes elsewhere, and is moved to that node. */
async function comeTo(target: FakeNode): Promise<string> {
  const sessionId = await callOn(other);
  expect(await harness.migrate(sessionId, { target: target.nodeId })).toMatchObject({ status: 'completed' });
  harness.clock.offsetMs += LOOK_MS;
  return sessionId;
}

const plan = async (nodeId: string, inMs: number, reason = 'kernel update'): Promise<number> => {
  const endsAt = Date.now() + harness.clock.offsetMs + inMs;
  const { status, body } = await harness.admin('PUT', `nodes/${nodeId}/planned-end`, { endsAt, reason });
  expect([status, body['plannedEnd']]).toEqual([200, { endsAt, reason }]);
  return endsAt;
};

/** What came, each once: a control that ends breaks deliveries off, and the next one repeats them under the same id. */
function notices(sessionId?: string): ReceivedCallback[] {
  const byId = new Map(attempts(sessionId).map((each) => [each.headers['idempotency-key'], each]));
  return [...byId.values()];
}
const attempts = (sessionId?: string): ReceivedCallback[] =>
  receiver.received.filter(
    (each) =>
      each.event === 'sessionNotification' && (sessionId === undefined || each.sessionId === sessionId),
  );
const told = (sessionId?: string): unknown[] => notices(sessionId).map(({ body }) => body['remainingTime']);

describe('a planned end', { timeout: 60_000 }, () => {
  it('is told four hours and one hour ahead, to the sessions of that node, once each', async () => {
    const [here, elsewhere] = [await callOn(node), await callOn(other)];
    const endsAt = await plan(node.nodeId, 4 * HOUR_MS + 30 * MINUTE_MS);
    await pause(SILENCE_MS);
    expect(told()).toEqual([]);
    harness.clock.offsetMs = 31 * MINUTE_MS;
    await expect.poll(() => told(here), PATIENCE).toEqual([14_400]);
    expect(notices(here)[0]?.body).toEqual({
      sessionId: here,
      projectId: SECRETS.apiKey,
      event: 'sessionNotification',
      reason: 'serverRotation',
      remainingTime: 14_400,
      timestamp: expect.any(Number) as unknown,
      endsAt,
    });
    harness.clock.offsetMs = 3 * HOUR_MS;
    await pause(SILENCE_MS);
    harness.clock.offsetMs = 3 * HOUR_MS + 31 * MINUTE_MS;
    await expect.poll(() => told(here), PATIENCE).toEqual([14_400, 3_600]);
    // The end itself drops nobody, and says nothing.
    harness.clock.offsetMs = 5 * HOUR_MS;
    await pause(SILENCE_MS);
    expect([told(here), told(elsewhere)]).toEqual([[14_400, 3_600], []]);
    expect(receiver.events(here)).not.toContain('connectionDestroyed');
  });

  it('is told to those who come to the node meanwhile: the notice that is current then', async () => {
    const first = await callOn(node);
    await plan(node.nodeId, 4 * HOUR_MS + MINUTE_MS);
    harness.clock.offsetMs = 2 * HOUR_MS;
    await expect.poll(() => told(first), PATIENCE).toEqual([14_400]);
    const late = await comeTo(node);
    await expect.poll(() => told(late), PATIENCE).toEqual([14_400]);
    harness.clock.offsetMs = 3 * HOUR_MS + 30 * MINUTE_MS;
    const last = await comeTo(node);
    await expect.poll(() => told(last), PATIENCE).toEqual([3_600]);
    await expect.poll(() => told(late), PATIENCE).toEqual([14_400, 3_600]);
    // What was told stays told, though they go and come back.
    await harness.migrate(last, { target: other.nodeId });
    await harness.migrate(last, { target: node.nodeId });
    harness.clock.offsetMs += LOOK_MS;
    await pause(SILENCE_MS);
    expect(told(last)).toEqual([3_600]);
  });

  it('that is planned late is told by the notice that is still true', async () => {
    const sessionId = await callOn(node);
    await plan(node.nodeId, 3 * HOUR_MS);
    await pause(SILENCE_MS);
    expect(told()).toEqual([]);
    harness.clock.offsetMs = 2 * HOUR_MS + MINUTE_MS;
    await expect.poll(() => told(sessionId), PATIENCE).toEqual([3_600]);
  });

  it.each([
    ['four hours', 4 * HOUR_MS, 14_400],
    ['one hour', HOUR_MS, 3_600],
    ['ten minutes', 10 * MINUTE_MS, 3_600],
  ])('in %s is told at once', async (_name, inMs, remainingTime) => {
    const sessionId = await callOn(node);
    await plan(node.nodeId, inMs);
    await expect.poll(() => told(sessionId), PATIENCE).toEqual([remainingTime]);
  });

  it('is told anew when it is moved to another time, and not when the same is said again', async () => {
    const sessionId = await callOn(node);
    const endsAt = await plan(node.nodeId, HOUR_MS);
    await expect.poll(() => told(sessionId), PATIENCE).toEqual([3_600]);
    await harness.admin('PUT', `nodes/${node.nodeId}/planned-end`, {
      endsAt: new Date(endsAt).toISOString(),
    });
    await pause(SILENCE_MS);
    expect(told(sessionId)).toEqual([3_600]);
    const later = await plan(node.nodeId, HOUR_MS - MINUTE_MS);
    await expect.poll(() => told(sessionId), PATIENCE).toEqual([3_600, 3_600]);
    const [first, second] = notices(sessionId);
    expect([first?.body['endsAt'], second?.body['endsAt']]).toEqual([endsAt, later]);
    expect(first?.headers['idempotency-key']).not.toBe(second?.headers['idempotency-key']);
  });

  it('that is taken back is told to nobody any more', async () => {
    receiver.react = ({ event }) => (event === 'sessionNotification' ? 500 : 204);
    const sessionId = await callOn(node);
    await plan(node.nodeId, HOUR_MS);
    await expect.poll(() => told(sessionId).length, PATIENCE).toBe(1);
    expect((await harness.admin('DELETE', `nodes/${node.nodeId}/planned-end`)).status).toBe(204);
    const before = attempts().length;
    receiver.react = () => 204;
    harness.clock.offsetMs = 30 * MINUTE_MS;
    await comeTo(node);
    await pause(SILENCE_MS);
    expect(attempts().length).toBe(before);
    expect(await harness.admin('GET', `nodes/${node.nodeId}`)).not.toHaveProperty('body.plannedEnd');
  });
});

describe('a planned end outlives', { timeout: 60_000 }, () => {
  const ends = async (): Promise<Record<string, unknown>> => {
    const { body } = await harness.admin('GET', 'nodes');
    const items = body['items'] as { id: string; plannedEnd?: { reason: string } }[];
    return Object.fromEntries(
      items.flatMap(({ id, plannedEnd }) => (plannedEnd === undefined ? [] : [[id, plannedEnd.reason]])),
    );
  };

  it('control, whose successor tells nobody twice', async () => {
    const sessionId = await callOn(node);
    await plan(node.nodeId, 4 * HOUR_MS + MINUTE_MS);
    harness.clock.offsetMs = 2 * MINUTE_MS;
    await expect.poll(() => told(sessionId), PATIENCE).toEqual([14_400]);
    const { offsetMs } = harness.clock;
    await harness.close();
    harness = await Harness.start({ storage: lasting(storage), timings: TIMINGS });
    harness.clock.offsetMs = offsetMs;
    const { addresses, identity, nodeId } = node;
    node = await harness.node({ addresses, identity, nodeId });
    expect(await ends()).toEqual({ [node.nodeId]: 'kernel update' });
    harness.clock.offsetMs += LOOK_MS;
    await pause(SILENCE_MS);
    expect(told(sessionId)).toEqual([14_400]);
    harness.clock.offsetMs = 3 * HOUR_MS + 2 * MINUTE_MS;
    await expect.poll(() => told(sessionId), PATIENCE).toEqual([14_400, 3_600]);
  });

  it('the node, which starts anew at its address with another identity and another id', async () => {
    await plan(node.nodeId, 2 * HOUR_MS);
    node.stop();
    await node.ended;
    const again = await harness.node({ addresses: node.addresses });
    expect(again.nodeId).not.toBe(node.nodeId);
    harness.clock.offsetMs = LOOK_MS;
    await expect.poll(ends, PATIENCE).toEqual({ [again.nodeId]: 'kernel update' });
  });

  it('no node whose id has gone to another host', async () => {
    await plan(node.nodeId, 2 * HOUR_MS);
    node.stop();
    await node.ended;
    harness.clock.offsetMs = 10 * MINUTE_MS;
    await expect
      .poll(async () => (await harness.admin('GET', `nodes/${node.nodeId}`)).status, PATIENCE)
      .toBe(404);
    expect(await storage.plannedEnds.list()).toHaveLength(1);
    const heir = await harness.node({ addresses: addressesOf('198.51.100.9'), nodeId: node.nodeId });
    expect(heir.nodeId).toBe(node.nodeId);
    harness.clock.offsetMs += LOOK_MS;
    await expect.poll(() => storage.plannedEnds.list(), PATIENCE).toEqual([]);
  });
});

describe('the request', () => {
  it.each([
    ['a time that is over', { endsAt: Date.now() - 1 }, 400],
    ['seconds instead of milliseconds', { endsAt: Math.round(Date.now() / 1_000) + 3_600 }, 400],
    ['a time beyond a year', { endsAt: Date.now() + 2 * 366 * 24 * HOUR_MS }, 400],
    ['a time of no zone', { endsAt: '2030-01-01T00:00:00' }, 400],
    ['no time', { reason: 'x' }, 400],
    ['a reason that is a story', { endsAt: Date.now() + HOUR_MS, reason: 'x'.repeat(257) }, 400],
  ])('refuses %s', async (_name, body, status) => {
    expect((await harness.admin('PUT', `nodes/${node.nodeId}/planned-end`, body)).status).toBe(status);
    expect(await storage.plannedEnds.list()).toEqual([]);
  });

  it('knows no node that is not there, and takes back what was never planned', async () => {
    const body = { endsAt: Date.now() + HOUR_MS };
    expect((await harness.admin('PUT', 'nodes/nowhere/planned-end', body)).status).toBe(404);
    expect((await harness.admin('DELETE', 'nodes/nowhere/planned-end')).status).toBe(404);
    expect((await harness.admin('DELETE', `nodes/${node.nodeId}/planned-end`)).status).toBe(204);
  });

  it('tells its reason to administrators alone', async () => {
    await plan(node.nodeId, 5 * HOUR_MS, 'said to nobody');
    const { url } = harness;
    const made = await fetch(`${url}/demo/sessions`, { method: 'POST', body: '{}' }).then((r) => r.text());
    expect(made).not.toContain('said to nobody');
    expect((await fetch(`${url}/admin/v1/nodes`)).status).toBe(401);
  });

  it('sends what begins now to another node', async () => {
    const [first, ending] = [await callOn(node), node.nodeId];
    await plan(ending, HOUR_MS);
    const sessionId = await harness.session();
    // The other node has more to do, and its home is the one that ends.
    await storage.sessions.setHomeNode(sessionId, ending);
    await callOn(other);
    await callOn(other);
    const client = await harness.join(sessionId);
    await harness.publish(client, other);
    const homes = await Promise.all([first, sessionId].map((id) => storage.sessions.get(id)));
    expect(homes.map((session) => session?.homeNodeId)).toEqual([ending, other.nodeId]);
  });
});

// `npm test` installs it where it can, and says so where it cannot.
describe.skipIf(findPostgres() === null)('several controls over one PostgreSQL', () => {
  it('tell each session once between them', { timeout: 90_000 }, async () => {
    const server = await PostgresServer.start();
    const controls: Harness[] = [];
    for (let number = 0; number < 3; number++)
      controls.push(await Harness.start({ databaseUrl: server.url, timings: TIMINGS }));
    const [first] = controls;
    if (first === undefined) throw new Error('no control');
    await first.admin('PUT', `projects/${SECRETS.apiKey}`, { callbackUrls: { session: receiver.url } });
    const sessions: string[] = [];
    const home = await first.node({ addresses: addressesOf('192.0.2.3') });
    for (let number = 0; number < 20; number++) {
      const sessionId = await first.session();
      await first.publish(await first.join(sessionId), home, 1_000 + 10 * number);
      sessions.push(sessionId);
    }
    const endsAt = Date.now() + 4 * HOUR_MS + 5 * MINUTE_MS;
    await first.admin('PUT', `nodes/${home.nodeId}/planned-end`, { endsAt, reason: '' });
    for (const notice of [14_400, 3_600]) {
      for (const each of controls) each.clock.offsetMs = endsAt - notice * 1_000 - Date.now() + 1_000;
      await expect
        .poll(() => notices().filter(({ body }) => body['remainingTime'] === notice).length, PATIENCE)
        .toBe(sessions.length);
    }
    await pause(SILENCE_MS);
    for (const sessionId of sessions) expect(told(sessionId)).toEqual([14_400, 3_600]);
    for (const each of controls) await each.close();
    await server.close();
  });
});
