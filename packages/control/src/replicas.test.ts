import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findPostgres, PostgresServer } from '@godwit/testing';
import { newSessionRecord, openPostgresStorage, type Storage } from '@godwit/storage';
import { newSessionId } from './ids.js';
import { FakeClient, type ConnectResult } from './testing/fake-client.js';
import { FakeNode, Refusal } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';
import { issueClientToken } from './tokens/client-token.js';

interface Replica {
  readonly control: Harness;
  readonly url: string;
  wasTaken: boolean;
}

const PROJECT = { apiKey: SECRETS.apiKey, secrets: [SECRETS.apiSecret] };

describe.skipIf(findPostgres() === null)('controls that share a database', { timeout: 60_000 }, () => {
  let server: PostgresServer;
  let storage: Storage;
  const replicas: Replica[] = [];
  const nodes: FakeNode[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
    storage = await openPostgresStorage(server.url);
  }, 90_000);
  afterEach(async () => {
    for (const node of nodes.splice(0)) node.stop();
    await Promise.all(replicas.splice(0).map(({ control }) => control.close()));
  });
  afterAll(async () => {
    await storage.close();
    await server.close();
  });

  async function start(): Promise<Replica> {
    const replica = { wasTaken: false };
    const onTaken = (): void => {
      replica.wasTaken = true;
    };
    const harness = await Harness.start({ databaseUrl: server.url, onTaken });
    const started = Object.assign(replica, { control: harness, url: harness.url });
    replicas.push(started);
    return started;
  }

  async function session(): Promise<string> {
    const createdAtMs = Date.now();
    const { apiKey } = SECRETS;
    const sessionId = newSessionId(apiKey, '', createdAtMs);
    await storage.sessions.create(newSessionRecord({ sessionId, apiKey, createdAtMs }));
    return sessionId;
  }

  async function join({ url }: Replica, sessionId: string): Promise<FakeClient & { joined: ConnectResult }> {
    const client = await FakeClient.open(url);
    const expiresAtSeconds = Math.floor(Date.now() / 1_000) + 600;
    const wish = { sessionId, role: 'moderator', data: '', expiresAtSeconds } as const;
    const joined = await client.request<ConnectResult>('connect', {
      apiKey: SECRETS.apiKey,
      sessionId,
      token: await issueClientToken(wish, PROJECT, Date.now()),
      sdkVersion: 'test',
      sessionMigration: true,
      pathMethod: 'candidate',
    });
    return Object.assign(client, { joined });
  }

  async function resume(
    { url }: Replica,
    before: FakeClient & { joined: ConnectResult },
  ): Promise<FakeClient & { joined: ConnectResult }> {
    const client = await FakeClient.open(url);
    const numbers = before.events.flatMap((event) => (event.event === 'signal' ? [event.number ?? 0] : []));
    const joined = await client.request<ConnectResult>('resume', {
      connectionId: before.joined.connection.connectionId,
      resumeToken: before.joined.resumeToken,
      lastSeq: before.events.at(-1)?.seq ?? before.joined.seq,
      lastSignal: Math.max(before.joined.signals, ...numbers),
    });
    return Object.assign(client, { joined });
  }

  const rest = async (replica: Replica, method: string, path: string, body?: object) => {
    const response = await fetch(`${replica.url}/v2/project/${SECRETS.apiKey}/session/${path}`, {
      method,
      headers: { 'x-opentok-auth': await Harness.projectToken(), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as { count?: number }) };
  };
  const said = (client: FakeClient): string[] =>
    client.events.flatMap((event) => (event.event === 'signal' ? [event.data] : []));

  it('show one roster to the clients of one session, whichever they come to', async () => {
    const [a, b, c] = [await start(), await start(), await start()];
    const sessionId = await session();
    const one = await join(a, sessionId);
    const two = await join(b, sessionId);
    expect(two.joined.connections.map(({ connectionId }) => connectionId)).toEqual([
      one.joined.connection.connectionId,
    ]);
    await one.event('connectionCreated');
    await two.request('signal', { data: 'from two' });
    await one.request('signal', { data: 'from one' });
    await expect
      .poll(() => [said(one), said(two)])
      .toEqual([
        ['from two', 'from one'],
        ['from two', 'from one'],
      ]);
    expect(await rest(c, 'GET', `${sessionId}/connection`)).toMatchObject({
      status: 200,
      body: { count: 2 },
    });
    expect((await rest(c, 'POST', `${sessionId}/signal`, { data: 'from the server' })).status).toBe(204);
    await two.event('signal', ({ data }) => data === 'from the server');
    const { connectionId } = two.joined.connection;
    expect((await rest(c, 'DELETE', `${sessionId}/connection/${connectionId}`)).status).toBe(204);
    await two.until(() => two.closed !== null);
    expect(two.closed).toMatchObject({ code: 1000, reason: 'forceDisconnected' });
    await one.event('connectionDestroyed', ({ reason }) => reason === 'forceDisconnected');
    expect((await rest(c, 'GET', 'no-such-session/connection')).status).toBe(404);
    const { items } = (await c.control.admin('GET', 'replicas')).body as unknown as {
      items: { url: string; isAsked: boolean }[];
    };
    expect(items.map(({ url }) => url)).toEqual([a.url, b.url, c.url]);
    expect(items.map(({ isAsked }) => isAsked)).toEqual([false, false, true]);
  });

  it('take up the sessions of one that leaves: clients resume, and each signal arrives once, in order', async () => {
    const [a, b] = [await start(), await start()];
    const sessionId = await session();
    const [one, two] = [await join(a, sessionId), await join(b, sessionId)];
    const id = 1_000_000;
    await one.request('signal', { data: '1' }, id);
    await two.event('signal');
    const closed = a.control.close();
    await Promise.all([one, two].map((client) => client.until(() => client.closed !== null)));
    const [one2, two2] = [await resume(b, one), await resume(b, two)];
    expect([one2.joined.resumed, two2.joined.resumed]).toEqual([false, false]);
    expect(one2.joined.connections).toHaveLength(1);
    // As if its answer had been lost: it is the same signal.
    await one2.request('signal', { data: '1' }, id);
    await one2.request('signal', { data: '2' });
    await two2.request('signal', { data: '3' });
    await expect
      .poll(() => [said(one2), said(two2)])
      .toEqual([
        ['2', '3'],
        ['2', '3'],
      ]);
    await closed;
    expect(a.wasTaken).toBe(false);
  });

  it('tell signals again that a client missed while its control was gone, and no others', async () => {
    const [a, b] = [await start(), await start()];
    const sessionId = await session();
    const [one, two] = [await join(b, sessionId), await join(a, sessionId)];
    await one.request('signal', { data: 'seen' });
    await two.event('signal');
    two.drop();
    await one.request('signal', { data: 'missed' });
    await one.request('signal', { data: 'missed by two alone', to: two.joined.connection.connectionId });
    await one.request('signal', { data: 'for one', to: one.joined.connection.connectionId });
    await b.control.close();
    const two2 = await resume(a, two);
    await expect.poll(() => said(two2)).toEqual(['missed', 'missed by two alone']);
    const one2 = await resume(a, one);
    await one2.request('signal', { data: 'last' });
    await expect.poll(() => said(two2)).toEqual(['missed', 'missed by two alone', 'last']);
    expect(said(one2)).toEqual(['last']);
  });

  it('end when the others have taken them for dead, and leave their calls alone', async () => {
    const [a, b] = [await start(), await start()];
    const sessionId = await session();
    const one = await join(a, sessionId);
    // As the others remove it, in one statement.
    await server.query(
      `delete from replicas where replica_id = (select replica_id from sessions where session_id = '${sessionId}')`,
    );
    await one.until(() => one.closed !== null);
    await expect.poll(() => a.wasTaken, { timeout: 10_000 }).toBe(true);
    const back = await resume(b, one);
    expect(back.joined.connection).toEqual(one.joined.connection);
    const { body } = await rest(b, 'GET', `${sessionId}/connection`);
    expect(body.count).toBe(1);
  });

  it('ask the nodes for what they take up, in a later term, and close nothing of each other’s', async () => {
    const [a, b] = [await start(), await start()];
    const common = { joinKey: SECRETS.joinKey };
    const nodeAtA = await FakeNode.start({ ...common, url: a.url });
    const nodeAtB = await FakeNode.start({ ...common, url: b.url, identity: nodeAtA.identity });
    nodes.push(nodeAtA, nodeAtB);
    expect(nodeAtB.nodeId).toBe(nodeAtA.nodeId);
    const sessionId = await session();
    const harnessed = await join(a, sessionId);
    await Harness.publishWith(harnessed, nodeAtA);
    const [created] = nodeAtA.received('createTransport');
    expect(created?.on).toEqual({ sessionId, term: 1 });
    // The other one's own transports are nothing to this one: it closes none of them.
    nodeAtB.stop();
    const again = await FakeNode.start({
      ...common,
      url: b.url,
      identity: nodeAtA.identity,
      transports: [{ transportId: created?.transportId ?? '', epoch: 1, connected: true, sessionId }],
    });
    nodes.push(again);
    again.script.reportTransports = () => ({
      transports: [{ transportId: created?.transportId ?? '', epoch: 1, connected: true, sessionId }],
    });
    // It is about to go, and has nowhere to send the session.
    again.send({ event: 'stopping' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(again.received('closeTransport')).toEqual([]);
    await a.control.close();
    const back = await resume(b, harnessed);
    expect(back.joined.connection).toEqual(harnessed.joined.connection);
    await expect.poll(() => again.received('configureTransport').at(-1)?.on).toEqual({ sessionId, term: 2 });
    expect(again.received('reportTransports')).toHaveLength(1);
    await expect.poll(() => b.control.logs.some((line) => line.includes('cannot leave its node'))).toBe(true);
    expect(again.received('closeTransport')).toEqual([]);
  });

  it('end when a node has heard from a later one', async () => {
    const a = await start();
    const node = await FakeNode.start({ joinKey: SECRETS.joinKey, url: a.url });
    nodes.push(node);
    const one = await join(a, await session());
    const { streamId } = await Harness.publishWith(one, node);
    // The other one has it, and this one does not know yet.
    const b = await start();
    await server.query(
      `update sessions set term = term + 1, replica_id = (select replica_id from replicas where url = '${b.url}') where replica_id = (select replica_id from replicas where url = '${a.url}')`,
    );
    node.script.configureTransport = () => {
      throw new Refusal('superseded');
    };
    await one.request('destroyStream', { streamId });
    await expect.poll(() => a.wasTaken, { timeout: 10_000 }).toBe(true);
    expect(one.closed).not.toBeNull();
  });

  it('go on in a higher term when the database has forgotten some: it was restored from an older copy', async () => {
    const a = await start();
    const node = await FakeNode.start({ joinKey: SECRETS.joinKey, url: a.url });
    nodes.push(node);
    const sessionId = await session();
    const one = await join(a, sessionId);
    node.script.createTransport = ({ on }) => {
      if ((on?.term ?? 0) < 7) throw new Refusal('superseded');
      return undefined;
    };
    const { streamId } = await Harness.publishWith(one, node);
    expect(streamId).toBeDefined();
    expect(node.received('createTransport').map(({ on }) => (on?.term ?? 0) > 7)).toEqual([false, true]);
    expect(a.wasTaken).toBe(false);
    const two = await join(a, sessionId);
    await one.request('signal', { data: 'still here' });
    await two.event('signal');
  });
});
