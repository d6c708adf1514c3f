import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { NODE_PATH, SIGNALLING_PATH } from '@godwit/protocol';
import {
  CallbackReceiver,
  freePort,
  Peer,
  PlatformApi,
  SecretSearch,
  startPlatform,
  type Platform,
} from '@godwit/testing';

// A real control and two real nodes, logging all they can, go through joins, moves, moderation, callbacks, administration and
// every failure that has to do with a secret. All secrets that pass by are noted, and looked for afterwards in logs, metrics,
// errors and the data folder. The rules are those of docs/reference/logs.md.

const CLI = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const CONNECTION_DATA = 'name=Ada of the connection data';
const SIGNAL_DATA = 'what Ada whispers in a signal';
const CANNOT_RUN = 78;

/** Never to be met in logs, metrics and answers. */
const search = new SecretSearch();
/** Of these, what must not be in the data folder either: rows keep ICE credentials and connection data (decision 0017). */
const stored = new SecretSearch();
const secret = (name: string, value: string | Buffer): string => {
  search.add(name, value);
  stored.add(name, value);
  return value.toString();
};
/** What callers were answered that was refused. */
const refusals: string[] = [];

let platform: Platform;
let api: PlatformApi;
let receiver: CallbackReceiver;
let sessionId: string;
let outsideLog = '';

/** Notes what the sockets of this process carry: descriptions, tokens, passwords. */
function watchSockets(): void {
  const note = (text: string): void => {
    for (const [, password = ''] of text.matchAll(/a=ice-pwd:([^\\\s"]+)/g))
      search.add('an ICE password', password);
    for (const [sdp] of text.matchAll(/"sdp":"(?:[^"\\]|\\.){40,}"/g))
      search.add('a session description', sdp.slice(7, 47));
    for (const [, token = ''] of text.matchAll(/"resumeToken":"([^"]+)"/g)) secret('a resume token', token);
    if (text.includes('"ok":false')) refusals.push(text);
  };
  const { send, emit } = WebSocket.prototype;
  vi.spyOn(WebSocket.prototype, 'send').mockImplementation(function (this: WebSocket, ...args: unknown[]) {
    note(String(args[0]));
    return (send as (...all: unknown[]) => void).apply(this, args);
  } as never);
  vi.spyOn(WebSocket.prototype, 'emit').mockImplementation(function (this: WebSocket, ...args: unknown[]) {
    if (args[0] === 'message') note(String(args[1]));
    return (emit as (...all: unknown[]) => boolean).apply(this, args);
  } as never);
}

/** A request whose refusal is kept; answers the status. */
async function refused(
  path: string,
  {
    method = 'POST',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: unknown },
): Promise<number> {
  const response = await fetch(platform.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  refusals.push(`${[...response.headers].join('\n')}\n${await response.text()}`);
  return response.status;
}

const admin = (): Record<string, string> => ({ authorization: `Bearer ${platform.adminToken}` });

async function administer(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${platform.url}/admin/v1/${path}`, {
    method,
    headers: { ...admin(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(300);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** A project's JWT, noted as a secret. */
const projectJwt = async (apiKey: string, key: string): Promise<string> =>
  secret(
    'a JWT of a project',
    await new SignJWT({ ist: 'project' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(apiKey)
      .setExpirationTime('5m')
      .sign(Buffer.from(key)),
  );

/** Runs the command and keeps what it says; answers its exit code. */
async function command(args: string[], env: Record<string, string>): Promise<number | null> {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, ...env } });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (outsideLog += String(chunk)));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

async function socketSays(path: string, message: string): Promise<void> {
  const socket = new WebSocket(platform.url.replace(/^http/, 'ws') + path);
  socket.on('error', () => undefined);
  await once(socket, 'open');
  socket.on('message', (data) => refusals.push(String(data)));
  socket.send(message);
  await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 300))]);
  socket.terminate();
}

beforeAll(async () => {
  watchSockets();
  receiver = await CallbackReceiver.start();
  platform = await startPlatform({
    env: {
      GODWIT_MIGRATION_MIN_AGE_SECONDS: '0',
      GODWIT_LOG_LEVEL: 'trace',
      GODWIT_STORAGE_KEY: secret('the storage key', randomBytes(24).toString('base64')),
      GODWIT_AUTH_FAILURES_PER_MINUTE: '20',
    },
    nodeEnv: { GODWIT_ANNOUNCED_ADDRESSES: '127.0.0.1', GODWIT_LOG_LEVEL: 'trace' },
    nodeEnvOf: (number): Record<string, string> => (number < 2 ? {} : { GODWIT_JOIN_KEY: wrongJoinKey }),
  });
  secret('the API secret', platform.apiSecret);
  secret('the admin token', platform.adminToken);
  const kept = JSON.parse(readFileSync(join(platform.dataDir, 'secrets.json'), 'utf8')) as Record<
    string,
    string
  >;
  for (const name of ['apiSecret', 'adminToken', 'joinKey', 'storageKey'])
    secret(`the generated ${name}`, kept[name] ?? '');
  api = new PlatformApi(platform);
});
const wrongJoinKey = secret('a wrong join key', randomBytes(24).toString('hex'));

afterAll(async () => {
  vi.restoreAllMocks();
  await platform?.stop();
  await receiver?.close();
});

/** A call of two, with everything that clients and servers do in it. */
async function liveThroughACall(): Promise<void> {
  sessionId = await api.createSession();
  const token = async (role: string): Promise<string> => {
    const { body } = await api.rest('POST', `/v2/project/${platform.apiKey}/session/${sessionId}/token`, {
      role,
      data: CONNECTION_DATA,
    });
    return secret('a client token', String(body['token']));
  };
  search.add('connection data', CONNECTION_DATA);
  search.add('the data of a signal', SIGNAL_DATA);
  const options = { url: platform.url, apiKey: platform.apiKey, sessionId };
  const first = await Peer.join({ ...options, token: await token('moderator') });
  const second = await Peer.join({ ...options, token: await token('publisher'), pathMethod: 'restart' });
  for (const peer of [first, second]) {
    await peer.publish({ audio: true, video: true });
    await peer.subscribeAll();
  }
  for (const peer of [first, second])
    await peer.until('media flows', () => peer.received().some(({ packets }) => packets > 20));
  const path = `/v2/project/${platform.apiKey}/session/${sessionId}`;
  await api.rest('POST', `${path}/signal`, { type: 'chat', data: SIGNAL_DATA });
  await api.rest('GET', `${path}/stream`);
  const migration = await api.migrate(sessionId);
  expect((await api.migrated(sessionId, String(migration.body['id']))).status).toBe('completed');
  second.vanish();
  await api.rest('DELETE', `${path}/connection/${first.connectionId}`);
  await first.until('it was disconnected', () => first.isLost);
  await first.close();
}

/** Projects with their secrets and keys, receivers that answer and that do not. */
async function administerProjects(): Promise<void> {
  const made = await administer('POST', 'projects', { id: 'shop', name: 'Shop of the test' });
  const first = secret('the secret of a project', String(made['secret']));
  const second = await administer('POST', 'projects/shop/secrets');
  secret('a second secret', String(second['secret']));
  const signature = secret('a signature secret', randomBytes(24).toString('base64url'));
  await administer('PUT', 'projects/shop', { signatureSecret: signature });
  const jwt = await projectJwt('shop', first);
  const hook = secretOfHook();
  for (const url of [`${receiver.url}?key=${hook}`, `http://127.0.0.1:${await freePort()}/?key=${hook}`]) {
    const response = await fetch(`${platform.url}/v2/project/shop/callback`, {
      method: 'POST',
      headers: { 'x-opentok-auth': jwt, 'content-type': 'application/json' },
      body: JSON.stringify({ group: 'session', event: 'all', url }),
    });
    expect(response.status).toBe(200);
  }
  const created = await fetch(`${platform.url}/session/create`, {
    method: 'POST',
    headers: { 'x-opentok-auth': jwt },
  });
  const [{ session_id: shopSession }] = (await created.json()) as [{ session_id: string }];
  const answer = await fetch(`${platform.url}/v2/project/shop/session/${shopSession}/token`, {
    method: 'POST',
    headers: { 'x-opentok-auth': jwt },
  });
  const { token } = (await answer.json()) as { token: string };
  secret('a client token', token);
  receiver.react = (received) => {
    secret('the signature of a callback', (received.headers.authorization ?? '').replace('Bearer ', ''));
    return receiver.received.length === 1 ? 500 : 204;
  };
  const peer = await Peer.join({ url: platform.url, apiKey: 'shop', sessionId: shopSession, token });
  await peer.close();
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(3), 30_000);
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  secret('a line of a private key', privateKey.split('\n')[3] ?? '');
  expect(
    await refused('/admin/v1/projects/shop/keys', { headers: admin(), body: { publicKey: privateKey } }),
  ).toBe(400);
  const weak = secret('a signature secret that is refused', 'only-15-letters');
  expect(
    await refused('/admin/v1/projects/shop', {
      method: 'PUT',
      headers: admin(),
      body: { signatureSecret: weak },
    }),
  ).toBe(400);
  await administer('DELETE', `projects/shop/secrets/${String(second['id'])}`);
}

const secretOfHook = (): string => {
  const key = randomBytes(16).toString('hex');
  // In the row of the receiver it has to be.
  search.add('a key in the URL of a receiver', key);
  return key;
};

/** Who is not let in, and what is said to him. */
async function failToGetIn(): Promise<void> {
  const forged = await projectJwt(platform.apiKey, 'the secret of somebody else');
  const ours = await projectJwt(platform.apiKey, platform.apiSecret);
  const session = `/v2/project/${platform.apiKey}/session/${sessionId}`;
  const client = secret('a client token', await api.token(sessionId));
  const guess = secret('a guess at the admin token', randomBytes(16).toString('hex'));
  const asAdmin = { authorization: `Bearer ${guess}` };
  const wrong: Record<string, string>[] = [
    { 'x-opentok-auth': forged },
    { authorization: `Bearer ${forged}` },
    { 'x-opentok-auth': client },
  ];
  for (const headers of wrong)
    expect(
      await refused(`${session}/signal`, { headers, body: { data: SIGNAL_DATA } }),
    ).toBeGreaterThanOrEqual(401);
  expect(await refused('/admin/v1/projects', { headers: asAdmin, body: { name: 'x' } })).toBe(401);
  for (const body of [`{"data":"${SIGNAL_DATA}`, { data: [client] }, { type: client.repeat(3), data: '' }])
    expect(await refused(`${session}/signal`, { headers: { 'x-opentok-auth': ours }, body })).toBe(400);
  expect(await refused(`/nowhere?token=${ours}`, { method: 'GET' })).toBe(404);
  for (let attempt = 0; attempt < 25; attempt++)
    await refused('/admin/v1/nodes', { method: 'GET', headers: asAdmin });
  expect(refusals.at(-1)).toContain('70025');
  const connect = {
    id: 1,
    type: 'connect',
    apiKey: platform.apiKey,
    sessionId,
    sdkVersion: 'test',
    sessionMigration: true,
  };
  for (const token of [forged, `${client}x`, `T1==${Buffer.from(ours).toString('base64')}`]) {
    const text = JSON.stringify({ ...connect, pathMethod: 'candidate', token });
    await socketSays(SIGNALLING_PATH, text);
    await socketSays(SIGNALLING_PATH, text.slice(0, -1));
    await socketSays(SIGNALLING_PATH, JSON.stringify({ ...connect, token: { token } }));
  }
  await socketSays(
    SIGNALLING_PATH,
    JSON.stringify({
      id: 1,
      type: 'resume',
      connectionId: 'nobody',
      resumeToken: secretOfResume(),
      lastSeq: 0,
    }),
  );
  await socketSays(NODE_PATH, JSON.stringify({ type: 'register', joinProof: wrongJoinKey, nodeId: 7 }));
  await socketSays(NODE_PATH, `{"joinKey":"${wrongJoinKey}`);
}

const secretOfResume = (): string => secret('a wrong resume token', randomBytes(24).toString('base64url'));

/** Processes that cannot run. */
async function failToStart(): Promise<void> {
  const stranger = platform.startNode();
  const [code] = (await once(stranger, 'exit')) as [number | null];
  expect(code).toBe(CANNOT_RUN);
  const password = secret('the password of a database', randomBytes(16).toString('hex'));
  const port = await freePort();
  const url = `postgres://godwit:${password}@127.0.0.1:${port}/godwit`;
  expect(
    await command(['control'], { GODWIT_DATABASE_URL: url, GODWIT_PORT: '0', GODWIT_LOG_LEVEL: 'trace' }),
  ).not.toBe(0);
  const badUrl = url.replace('postgres:', 'mysql:');
  expect(await command(['control'], { GODWIT_DATABASE_URL: badUrl, GODWIT_DEBUG: '1' })).toBe(CANNOT_RUN);
  const short = secret('a join key that is too short', 'fifteen-letters');
  expect(
    await command(['node'], { GODWIT_CONTROL_URL: platform.url, GODWIT_JOIN_KEY: short, GODWIT_DEBUG: '1' }),
  ).toBe(CANNOT_RUN);
}

describe('the secrets of a platform that lives through everything', () => {
  // No clock is in it, so nothing is gained by a second attempt.
  it('are in no log, no metric, no error and not in the data folder', { retry: 0 }, async () => {
    await liveThroughACall();
    await administerProjects();
    const nodes = await api.nodes();
    await failToGetIn();
    await failToStart();
    const metrics = await Promise.all(
      [platform.url, ...nodes.map(({ opsUrl }) => opsUrl)].map(async (url) =>
        (await fetch(`${url}/metrics`)).text(),
      ),
    );
    expect(metrics.length).toBe(3);
    const log = platform.log.join('\n');
    // It was all seen: what is looked for in the wrong place is not found there either.
    expect(new Set(search.names).size).toBeGreaterThan(20);
    for (const words of [
      'session created',
      'connection created',
      'migration ended',
      'node refused',
      'refused a signalling message',
    ])
      expect(log).toContain(words);
    expect(refusals.length).toBeGreaterThan(40);
    expect(outsideLog).toContain('GODWIT_JOIN_KEY');

    const isForSecrets = (path: string): boolean => path === 'secrets.json';
    const look = (log_: string) => [
      ...search.find('the logs', log_),
      ...search.find('what the command said', outsideLog),
      ...metrics.flatMap((text) => search.find('the metrics', text)),
      ...refusals.flatMap((text) => search.find('a refusal', text)),
      ...stored.findInFolder(platform.dataDir, isForSecrets),
    ];
    expect(look(log)).toEqual([]);

    // The search has eyes: the folder's files hold what was written, and one planted secret in each place is found.
    const written = new SecretSearch();
    written.add('the name of a project', 'Shop of the test');
    expect(written.findInFolder(platform.dataDir, isForSecrets)).not.toEqual([]);
    const planted = Buffer.from(`x${platform.apiSecret}`).toString('base64');
    appendFileSync(join(platform.dataDir, 'planted'), platform.adminToken);
    expect(look(`${log}\n{"msg":"${planted}"}`).map(({ secret: name, where }) => [name, where])).toEqual([
      ['the API secret', 'the logs'],
      ['the admin token', 'planted'],
    ]);
  });
});
