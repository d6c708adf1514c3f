import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import OpenTok from 'opentok';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSessionRecord } from '@godwit/storage';
import { DEMO_SESSIONS_MAX } from './limits.js';
import { FakeClient, type ConnectResult } from './testing/fake-client.js';
import { Harness, SECRETS } from './testing/harness.js';

const MIN_AGE_MS = 60_000;
let harness: Harness;
let folder: string;
let opentok: OpenTok;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'godwit-assets-'));
  await mkdir(join(folder, 'sdk'));
  await mkdir(join(folder, 'web'));
  await writeFile(join(folder, 'sdk', 'godwit.js'), 'var OT={};');
  await writeFile(join(folder, 'sdk', 'private.txt'), 'not for everybody');
  await writeFile(join(folder, 'web', 'index.html'), '<!doctype html><title>demo</title>');
  harness = await Harness.start({
    migrationMinAgeMs: MIN_AGE_MS,
    sdkDir: join(folder, 'sdk'),
    sdkVersion: '0.1.0',
    dashboardDir: join(folder, 'web'),
  });
  opentok = new OpenTok(SECRETS.apiKey, SECRETS.apiSecret, harness.url);
}, 60_000);
afterAll(async () => {
  await harness.close();
  await rm(folder, { recursive: true });
});

const signedWith = (secret: string): Promise<string> =>
  new SignJWT({ ist: 'project' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(SECRETS.apiKey)
    .setExpirationTime('5m')
    .sign(Buffer.from(secret));

const createSession = (options: object = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    opentok.createSession(options, (error, session) => {
      if (error || session === undefined) reject(error ?? new Error('no session'));
      else resolve(session.sessionId);
    });
  });

async function connectWith(sessionId: string, token: string): Promise<unknown> {
  const client = await FakeClient.open(harness.url);
  const fields = { apiKey: SECRETS.apiKey, sessionId, token, sdkVersion: 'test', sessionMigration: false };
  return client
    .request<ConnectResult>('connect', { ...fields, pathMethod: 'candidate' })
    .then(({ connection, capabilities }) => ({ data: connection.data, publish: capabilities.publish }))
    .catch((error: unknown) => error)
    .finally(() => client.drop());
}

describe('the opentok package, unmodified', () => {
  it('creates sessions whose ids it can decode itself', async () => {
    const sessionId = await createSession({ mediaMode: 'routed', location: '12.34.56.78' });
    expect(sessionId).toMatch(/^1_[A-Za-z0-9_-]+$/);
    expect(() => opentok.generateToken(sessionId)).not.toThrow();
  });

  it.each([
    ['JWT', false],
    ['T1', true],
  ])('makes %s tokens that join a call with their role and data', async (_kind, legacy) => {
    const sessionId = await createSession();
    const options = { role: 'subscriber', data: 'name=Ada & Łukasz' } as const;
    const generate = opentok.generateToken.bind(opentok) as (
      id: string,
      options: object,
      legacy: boolean,
    ) => string;
    expect(await connectWith(sessionId, generate(sessionId, options, legacy))).toEqual({
      data: options.data,
      publish: 0,
    });
  });

  it.each([
    ['JWT', false],
    ['T1', true],
  ])('is refused with a %s token of another session, another project, or expired', async (_kind, legacy) => {
    const [sessionId, other] = [await createSession(), await createSession()];
    const generate = (from: OpenTok, id: string): string =>
      (from.generateToken.bind(from) as (id: string, options: object, legacy: boolean) => string)(
        id,
        {},
        legacy,
      );
    const stranger = new OpenTok(SECRETS.apiKey, 'the-secret-of-somebody-else', harness.url);
    const token = generate(opentok, sessionId);
    for (const [id, presented, said] of [
      [sessionId, generate(opentok, other), 'another session'],
      [sessionId, generate(stranger, sessionId), 'signature'],
      [sessionId, 'T1==garbage', 'malformed'],
      [sessionId, 'not a token', 'malformed'],
    ] as const) {
      expect(await connectWith(id, presented)).toMatchObject({
        code: 1004,
        message: expect.stringContaining(said) as unknown,
      });
    }
    expect(await connectWith('1_unknown', token)).toMatchObject({ code: 1005 });
    harness.clock.offsetMs = 3 * 86_400_000;
    expect(await connectWith(sessionId, token)).toMatchObject({
      code: 1004,
      message: 'The token has expired.',
    });
    harness.clock.offsetMs = 0;
  });

  it('lists streams and gets an error for a session that is not there', async () => {
    const sessionId = await createSession();
    const list = (id: string): Promise<unknown> =>
      new Promise((resolve) => opentok.listStreams(id, (error, streams) => resolve(error ?? streams)));
    expect(await list(sessionId)).toEqual([]);
    expect(await list('1_unknown')).toBeInstanceOf(Error);
  });
});

describe('REST', () => {
  it('issues tokens that name the system, within their limits', async () => {
    const sessionId = await createSession();
    const { status, body } = await harness.rest('POST', `${sessionId}/token`, {
      role: 'moderator',
      data: 'x',
    });
    expect(status).toBe(200);
    const claims = JSON.parse(
      Buffer.from(String(body['token']).split('.')[1] ?? '', 'base64url').toString(),
    ) as object;
    expect(claims).toMatchObject({ url: harness.url, session_id: sessionId, role: 'moderator' });
    expect(await connectWith(sessionId, String(body['token']))).toMatchObject({ publish: 1 });
    for (const bad of [
      { role: 'king' },
      { data: 'x'.repeat(2_000) },
      { expireTime: 1 },
      { expireTime: 9_999_999_999 },
    ]) {
      expect(await harness.rest('POST', `${sessionId}/token`, bad)).toMatchObject({
        status: 400,
        body: { code: 70000 },
      });
    }
  });

  it('refuses callers without, with a wrong, or with a stranger JWT, in the shape that SDKs read', async () => {
    const url = `${harness.url}/session/create`;
    for (const [token, status] of [
      [undefined, 401],
      ['x.y.z', 401],
      [await signedWith('another-secret-of-16'), 401],
      // A client token is signed with the same secret and says ist = project too.
      [await harness.token('1_s', 'moderator'), 403],
    ] as const) {
      const response = await fetch(url, {
        method: 'POST',
        headers: token === undefined ? {} : { 'x-opentok-auth': token },
      });
      expect(response.status).toBe(status);
      expect(Object.keys((await response.json()) as object)).toEqual(['code', 'message', 'description']);
    }
  });

  it('answers 15215 until the session is old enough, and again after a migration', async () => {
    const nodes = [await harness.node(), await harness.node()];
    const sessionId = await createSession();
    expect(await harness.rest('POST', `${sessionId}/migrate`)).toMatchObject({
      status: 409,
      body: { code: 15215 },
    });
    harness.clock.offsetMs = MIN_AGE_MS + 1_000;
    expect(await harness.migrate(sessionId)).toMatchObject({ status: 'completed' });
    expect(await harness.rest('POST', `${sessionId}/migrate`)).toMatchObject({
      status: 409,
      body: { code: 15215 },
    });
    harness.clock.offsetMs = 0;
    for (const node of nodes) node.stop();
    await Promise.all(nodes.map(({ ended }) => ended));
  });

  it('takes empty JSON bodies and trailing slashes, refuses broken and oversized ones', async () => {
    const sessionId = await createSession();
    const headers = { 'x-opentok-auth': await harness.projectToken(), 'content-type': 'application/json' };
    const path = `${harness.url}/v2/project/${SECRETS.apiKey}/session/${sessionId}`;
    expect((await fetch(`${path}/token/`, { method: 'POST', headers })).status).toBe(200);
    expect((await fetch(`${path}/token`, { method: 'POST', headers, body: '{"role":' })).status).toBe(400);
    const large = await fetch(`${path}/token`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ data: 'x'.repeat(80_000) }),
    });
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ code: 70009 });
    expect((await fetch(`${harness.url}/nothing/here`)).status).toBe(404);
  });

  it('lets pages of any origin call', async () => {
    const response = await fetch(`${harness.url}/session/create`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://a.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-opentok-auth',
      },
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toContain('x-opentok-auth');
  });

  it('is healthy once a node is in service', async () => {
    expect((await fetch(`${harness.url}/health`)).status).toBe(503);
    expect(await (await fetch(`${harness.url}/api/client/v2/status`)).json()).toEqual({
      status: 'success',
      result: 'OK',
    });
    const node = await harness.node();
    expect((await fetch(`${harness.url}/health`)).status).toBe(200);
    node.stop();
    await node.ended;
  });

  it('shows operators nodes and sessions, and nobody else', async () => {
    const node = await harness.node();
    const admin = { authorization: `Bearer ${SECRETS.adminToken}` };
    expect((await fetch(`${harness.url}/admin/v1/nodes`)).status).toBe(401);
    expect(
      (await fetch(`${harness.url}/admin/v1/nodes`, { headers: { authorization: 'Bearer no' } })).status,
    ).toBe(401);
    const { items } = (await (await fetch(`${harness.url}/admin/v1/nodes`, { headers: admin })).json()) as {
      items: object[];
    };
    const mine = {
      id: node.nodeId,
      state: 'in-service',
      transports: 0,
      sessions: 0,
      version: '0.1.0',
      pid: process.pid,
    };
    expect(items).toContainEqual({
      ...mine,
      mediaLoad: expect.any(Number) as unknown,
      opsUrl: 'http://127.0.0.1:1',
    });
    expect((await fetch(`${harness.url}/admin/v1/nodes/${node.nodeId}`, { headers: admin })).status).toBe(
      200,
    );
    expect((await fetch(`${harness.url}/admin/v1/nodes/none`, { headers: admin })).status).toBe(404);
    expect((await fetch(`${harness.url}/admin/v1/sessions`, { headers: admin })).status).toBe(200);
    expect((await fetch(`${harness.url}/admin/v1/sessions/none`, { headers: admin })).status).toBe(404);
    const openapi = (await (await fetch(`${harness.url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(openapi.paths)).toContain('/admin/v1/nodes');
    for (const name of ['gap', 'measures', 'pathMs', 'transferMs', 'stateBytes', 'progress'])
      expect(JSON.stringify(openapi.paths)).toContain(`"${name}"`);
    node.stop();
    await node.ended;
  });
});

describe('pages', () => {
  it('serves the SDK by latest and by version, and nothing else of its folder', async () => {
    const latest = await fetch(`${harness.url}/sdk/godwit.js`);
    expect([latest.status, await latest.text()]).toEqual([200, 'var OT={};']);
    const versioned = await fetch(`${harness.url}/sdk/0.1.0/godwit.js`);
    expect(versioned.headers.get('cache-control')).toContain('immutable');
    for (const path of [
      'sdk/9.9.9/godwit.js',
      'sdk/private.txt',
      'sdk/..%2fweb%2findex.html',
      'sdk/%2e%2e/private.txt',
    ]) {
      expect((await fetch(`${harness.url}/${path}`)).status).toBe(404);
    }
  });

  it('serves the demo page at /demo, and leads there from /', async () => {
    for (const path of ['demo', 'demo/', '']) {
      expect(await (await fetch(`${harness.url}/${path}`)).text()).toContain('<title>demo</title>');
    }
  });

  it('gives the demo page a publisher token of a demo session, and lets it migrate only such', async () => {
    const post = (path: string, body?: object): Promise<Response> =>
      fetch(`${harness.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const first = (await (await post('/demo/session')).json()) as { sessionId: string; token: string };
    const again = (await (await post('/demo/session', {})).json()) as { sessionId: string };
    const other = (await (await post('/demo/session', { session: 'tea time' })).json()) as {
      sessionId: string;
    };
    expect(again.sessionId).toBe(first.sessionId);
    expect(other.sessionId).not.toBe(first.sessionId);
    expect(Object.keys(first)).toEqual(['apiKey', 'sessionId', 'token']);
    const claims = JSON.parse(Buffer.from(first.token.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ role: 'publisher' });
    const real = await createSession();
    expect((await post(`/demo/sessions/${real}/migrate`)).status).toBe(404);
    expect((await fetch(`${harness.url}/demo/sessions/${real}`)).status).toBe(404);
    const nodes = [await harness.node(), await harness.node()];
    expect(await (await post(`/demo/sessions/${first.sessionId}/migrate`)).json()).toMatchObject({
      status: 'pending',
    });
    const seen = (await (await fetch(`${harness.url}/demo/sessions/${first.sessionId}`)).json()) as {
      migrations: object[];
    };
    expect(seen).toMatchObject({ sessionId: first.sessionId, connections: [], streams: [] });
    expect(seen.migrations).toHaveLength(1);
    expect((await post('/demo/session', { session: '<script>' })).status).toBe(400);
    for (const node of nodes) node.stop();
    await Promise.all(nodes.map(({ ended }) => ended));
  });

  it('moves a demo session at once, however young', async () => {
    const post = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${harness.url}${path}`, { method: 'POST', headers, body: '{}' });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const nodes = [await harness.node(), await harness.node()];
    const { sessionId } = (await post('/demo/session')).body;
    for (let round = 0; round < 2; round++) {
      const started = await post(`/demo/sessions/${String(sessionId)}/migrate`);
      expect(started).toMatchObject({ status: 200, body: { sessionId, status: 'pending' } });
      await harness.migrationEnd(String(sessionId), String(started.body['id']));
    }
    for (const node of nodes) node.stop();
    await Promise.all(nodes.map(({ ended }) => ended));
  });

  it('leads to the same default demo session, whatever sessions and projects there were before', async () => {
    const fresh = await Harness.start();
    const { storage } = fresh;
    await storage.projects.ensure({
      apiKey: 'former',
      name: 'former',
      createdAtMs: 1,
      signatureSecret: null,
    });
    for (let count = 0; count < DEMO_SESSIONS_MAX; count++) {
      const demoName = count === 0 ? 'demo' : `demo ${count}`;
      await storage.sessions.create(
        newSessionRecord({ sessionId: `1_demo${count}`, apiKey: 'former', createdAtMs: 1, demoName }),
      );
    }
    const join = async (body: object): Promise<Record<string, unknown>> => {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      return (await (await fetch(`${fresh.url}/demo/session`, init)).json()) as Record<string, unknown>;
    };
    const first = await join({});
    expect(first).toMatchObject({ apiKey: SECRETS.apiKey, sessionId: expect.any(String) as unknown });
    expect((await join({}))['sessionId']).toBe(first['sessionId']);
    expect(await join({ session: 'one more' })).toMatchObject({ code: 70012 });
    await fresh.close();
  });

  it('logs no secret and no token', () => {
    const written = harness.logs.join('');
    expect(written).toContain('session created');
    for (const secret of Object.values({ ...SECRETS, apiKey: 'T1==' })) expect(written).not.toContain(secret);
    expect(written).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
  });
});
