import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSessionRecord, openMemoryStorage, StorageError } from '@godwit/storage';
import { PROJECT_CACHE_MS } from './limits.js';
import { SecretBox } from './projects/secret-box.js';
import { ensureFirstProject } from './projects/first-project.js';
import { FakeClient } from './testing/fake-client.js';
import { Harness, SECRETS } from './testing/harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
}, 60_000);
afterAll(() => harness.close());

const pairOf = (modulusLength = 2_048) =>
  generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

async function admin(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${harness.url}/admin/v1/projects${path}`, {
    method,
    headers: { authorization: `Bearer ${SECRETS.adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

async function newProject(): Promise<{ id: string; secret: string; secretId: string }> {
  const { body } = await admin('POST', '', { name: 'a project' });
  const [first] = body['secrets'] as { id: string }[];
  return { id: String(body['id']), secret: String(body['secret']), secretId: first?.id ?? '' };
}

/** A JWT with the claims of the project, signed as said. */
function sign(
  projectId: string,
  claims: object = {},
  { secret, alg = 'HS256' }: { secret: string | Buffer; alg?: string },
): string {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const all = { iss: projectId, ist: 'project', iat: nowSeconds, exp: nowSeconds + 300, ...claims };
  const text = `${encode({ alg, typ: 'JWT' })}.${encode(all)}`;
  const digest = createHmac(alg === 'HS512' ? 'sha512' : 'sha256', secret)
    .update(text)
    .digest('base64url');
  return `${text}.${alg === 'none' ? '' : digest}`;
}

/** Status of a session's creation. */
async function create(headers: Record<string, string>): Promise<number> {
  const response = await fetch(`${harness.url}/session/create`, { method: 'POST', headers });
  await response.text();
  return response.status;
}
const createWith = (token: string): Promise<number> => create({ 'x-opentok-auth': token });

describe('secrets of a project', () => {
  it('are two at once while one takes the place of the other', async () => {
    const { id, secret, secretId } = await newProject();
    expect(await createWith(sign(id, {}, { secret }))).toBe(200);
    const { status, body: second } = await admin('POST', `/${id}/secrets`);
    expect(status).toBe(201);
    for (const valid of [secret, String(second['secret'])])
      expect(await createWith(sign(id, {}, { secret: valid }))).toBe(200);
    expect(await admin('POST', `/${id}/secrets`)).toMatchObject({ status: 409, body: { code: 70022 } });
    expect((await admin('DELETE', `/${id}/secrets/${secretId}`)).status).toBe(204);
    expect(await createWith(sign(id, {}, { secret }))).toBe(401);
    expect(await createWith(sign(id, {}, { secret: String(second['secret']) }))).toBe(200);
    expect(await admin('DELETE', `/${id}/secrets/${String(second['id'])}`)).toMatchObject({
      status: 409,
      body: { code: 70023 },
    });
  });

  it('are told once, and are nowhere to be read afterwards', async () => {
    const { id, secret } = await newProject();
    expect(JSON.stringify((await admin('GET', `/${id}`)).body)).not.toContain(secret);
    expect(JSON.stringify((await admin('GET', '')).body)).not.toContain(secret);
    expect(JSON.stringify(await harness.storage.projects.get(id))).not.toContain(secret);
    expect(harness.logs.join()).not.toContain(secret);
  });

  it('that another control has revoked are refused soon', async () => {
    const { id, secret, secretId } = await newProject();
    await admin('POST', `/${id}/secrets`);
    expect(await createWith(sign(id, {}, { secret }))).toBe(200);
    const audit = { atMs: Date.now(), actor: 'admin', action: 'test', subject: id, detail: {} };
    await harness.storage.projects.revokeCredential(id, secretId, audit);
    harness.clock.offsetMs = PROJECT_CACHE_MS;
    expect(await createWith(sign(id, {}, { secret }))).toBe(401);
    harness.clock.offsetMs = 0;
  });
});

describe('keys of an application', () => {
  it('sign for it, and can be replaced', async () => {
    const [first, second] = [pairOf(), pairOf()];
    const id = randomUUID();
    expect((await admin('POST', '', { id, name: 'app', publicKey: first.publicKey })).status).toBe(201);
    const bearer = async ({ privateKey }: { privateKey: string }): Promise<number> => {
      const { createPrivateKey } = await import('node:crypto');
      const token = await new SignJWT({ application_id: id })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuedAt()
        .setExpirationTime('15m')
        .setJti(randomUUID())
        .sign(createPrivateKey(privateKey));
      return create({ authorization: `Bearer ${token}` });
    };
    expect([await bearer(first), await bearer(second)]).toEqual([200, 401]);
    expect((await admin('POST', `/${id}/keys`, { publicKey: second.publicKey })).status).toBe(201);
    const keys = (await admin('GET', `/${id}`)).body['keys'] as { id: string }[];
    expect((await admin('DELETE', `/${id}/keys/${keys[0]?.id ?? ''}`)).status).toBe(204);
    expect([await bearer(first), await bearer(second)]).toEqual([401, 200]);
    // Who has the public half, and that is everybody, signs nothing with it.
    expect(await createWith(sign(id, { application_id: id }, { secret: second.publicKey }))).toBe(401);
    // Control has no secret to sign a client token with.
    const sessionId = await sessionOf(id);
    const { privateKey } = second;
    const { createPrivateKey } = await import('node:crypto');
    const token = await new SignJWT({ application_id: id })
      .setProtectedHeader({ alg: 'RS256' })
      .setExpirationTime('5m')
      .sign(createPrivateKey(privateKey));
    const response = await fetch(`${harness.url}/v2/project/${id}/session/${sessionId}/token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect([response.status, await response.json()]).toMatchObject([409, { code: 70015 }]);
  });

  it.each([
    ['a private key', () => pairOf().privateKey, 'private key'],
    ['a short key', () => pairOf(1_024).publicKey, 'at least 2048 bits'],
    ['an elliptic curve', () => ellipticKey(), 'RSA'],
    ['no key at all', () => 'hello', 'PEM'],
  ])('that are %s are refused, and no project is left behind', async (_what, make, said) => {
    const id = randomUUID();
    const { status, body } = await admin('POST', '', { id, name: 'app', publicKey: make() });
    expect([status, body['description']]).toEqual([400, expect.stringContaining(said)]);
    expect((await admin('GET', `/${id}`)).status).toBe(404);
  });
});

function ellipticKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
}

async function sessionOf(apiKey: string): Promise<string> {
  const { newSessionId } = await import('./ids.js');
  const sessionId = newSessionId(apiKey, '', Date.now());
  await harness.storage.sessions.create(newSessionRecord({ sessionId, apiKey, createdAtMs: Date.now() }));
  return sessionId;
}

describe('a project', () => {
  it('is there with its first secret or not at all, so that whoever was not answered asks again', async () => {
    const storage = await openMemoryStorage();
    let isAway = false;
    // The database goes away once the project is written.
    const addCredential: typeof storage.projects.addCredential = (...credential) =>
      isAway
        ? Promise.reject(new StorageError('unavailable', 'away'))
        : storage.projects.addCredential(...credential);
    const other = await Harness.start({
      storage: { ...storage, projects: { ...storage.projects, addCredential } },
    });
    isAway = true;
    const ask = async (): Promise<number> => {
      const response = await fetch(`${other.url}/admin/v1/projects`, {
        method: 'POST',
        headers: { authorization: `Bearer ${SECRETS.adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ id: 'shop', name: 'shop' }),
      });
      await response.text();
      return response.status;
    };
    expect(await ask()).toBe(201);
    expect((await storage.projects.get('shop'))?.credentials).toHaveLength(1);
    await other.close();
  });

  it('sees nothing of another: not its sessions, nor its callbacks', async () => {
    const [mine, other] = [await newProject(), await newProject()];
    const sessionId = await sessionOf(other.id);
    const headers = { 'x-opentok-auth': sign(mine.id, {}, mine) };
    const status = async (method: string, path: string): Promise<number> =>
      (await fetch(`${harness.url}/v2/project/${path}`, { method, headers })).status;
    expect(await status('GET', `${mine.id}/session/${sessionId}/stream`)).toBe(404);
    expect(await status('GET', `${other.id}/session/${sessionId}/stream`)).toBe(403);
    expect(await status('GET', `${other.id}/callback`)).toBe(403);
    const client = await FakeClient.open(harness.url);
    const token = sign(mine.id, { scope: 'session.connect', session_id: sessionId }, mine);
    const connect = (apiKey: string): Promise<unknown> =>
      client.request('connect', {
        apiKey,
        sessionId,
        token,
        sdkVersion: 'test',
        sessionMigration: false,
        pathMethod: 'candidate',
      });
    await expect(connect(mine.id)).rejects.toMatchObject({ code: 1005 });
    await expect(connect(other.id)).rejects.toMatchObject({ code: 1004 });
    client.drop();
  });

  it('is made once per id, with a name', async () => {
    const id = randomUUID();
    expect((await admin('POST', '', { id, name: 'one' })).status).toBe(201);
    expect(await admin('POST', '', { id, name: 'two' })).toMatchObject({
      status: 409,
      body: { code: 70020 },
    });
    for (const bad of [{}, { name: '' }, { name: 'x', id: '../etc' }, { name: 7 }])
      expect((await admin('POST', '', bad)).status).toBe(400);
    expect((await admin('PUT', '/nobody', { name: 'x' })).status).toBe(404);
  });

  it('leaves a line in the audit for whatever is changed', async () => {
    const { id } = await newProject();
    await admin('PUT', `/${id}`, { name: 'renamed' });
    const lines = (await harness.storage.audit.list()).filter(({ subject }) => subject === id);
    expect(lines.map(({ action }) => action)).toEqual([
      'project.changed',
      'project.secret.added',
      'project.created',
    ]);
  });
});

describe('the project of the settings', () => {
  const first = { apiKey: '100', apiSecret: 'the-first-secret-of-all' };
  const box = new SecretBox('the storage key');

  it(
    'takes up a new secret beside the old one, and never one that was revoked',
    { timeout: 30_000 },
    async () => {
      const storage = await openMemoryStorage();
      const secrets = async (): Promise<(string | null)[]> =>
        ((await storage.projects.get('100'))?.credentials ?? []).map(({ material }) =>
          box.open(material, '100'),
        );
      await ensureFirstProject(storage, box, first, 1);
      await ensureFirstProject(storage, box, first, 2);
      expect(await secrets()).toEqual([first.apiSecret]);
      const next = { ...first, apiSecret: 'the-next-secret-of-all' };
      await ensureFirstProject(storage, box, next, 3);
      expect(await secrets()).toEqual([first.apiSecret, next.apiSecret]);
      const third = { ...first, apiSecret: 'the-third-secret-of-all' };
      await expect(ensureFirstProject(storage, box, third, 4)).rejects.toThrow('revoke one of them');
      const [, second] = (await storage.projects.get('100'))?.credentials ?? [];
      const audit = { atMs: 5, actor: 'admin', action: 'test', subject: '100', detail: {} };
      await storage.projects.revokeCredential('100', second?.credentialId ?? '', audit);
      await ensureFirstProject(storage, box, next, 6);
      expect(await secrets()).toEqual([first.apiSecret]);
      await storage.close();
    },
  );

  it('refuses to start with another storage key, and says so', { timeout: 30_000 }, async () => {
    const storage = await openMemoryStorage();
    await ensureFirstProject(storage, box, first, 1);
    const other = new SecretBox('another storage key');
    await expect(ensureFirstProject(storage, other, first, 2)).rejects.toThrow('GODWIT_STORAGE_KEY');
    await storage.close();
  });
});

describe('JWTs of a project', () => {
  it.each([
    ['of another secret', (id: string) => sign(id, {}, { secret: 'not-the-secret-at-all' })],
    ['without a signature', (id: string, secret: string) => sign(id, {}, { secret, alg: 'none' })],
    ['of another algorithm', (id: string, secret: string) => sign(id, {}, { secret, alg: 'HS512' })],
    ['that has expired', (id: string, secret: string) => sign(id, { exp: 1_000 }, { secret })],
    ['without an end', (id: string, secret: string) => sign(id, { exp: undefined }, { secret })],
    ['that is valid for years', (id: string, secret: string) => sign(id, { exp: 9_999_999_999 }, { secret })],
    ['of nobody', (_id: string, secret: string) => sign('nobody', {}, { secret })],
    [
      'that names its project by an object',
      (_id: string, secret: string) => sign('x', { iss: { a: 1 } }, { secret }),
    ],
    ['that is none', () => 'hello'],
    [
      'that is half of one',
      (id: string, secret: string) => sign(id, {}, { secret }).split('.').slice(0, 2).join('.'),
    ],
    ['that is huge', () => `${'x'.repeat(7_000)}.y.z`],
  ])('%s are refused', async (_what, make) => {
    const { id, secret } = await newProject();
    expect(await createWith(make(id, secret))).toBe(401);
    expect(await create({ authorization: `Bearer ${make(id, secret)}` })).toBe(401);
  });

  it('that are client tokens, or of an account, open nothing', async () => {
    const { id, secret } = await newProject();
    for (const claims of [{ scope: 'session.connect' }, { session_id: 's' }, { ist: 'account' }])
      expect(await createWith(sign(id, claims, { secret }))).toBe(403);
    expect(await create({})).toBe(401);
    expect(await create({ authorization: 'Basic eDp5' })).toBe(401);
  });
});
