import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SIGNALLING_MESSAGE_BYTES_MAX, SIGNALLING_PATH, SIGNALLING_PING_INTERVAL_MS } from '@godwit/protocol';
import { HTTP_BODY_BYTES_MAX } from './limits.js';
import { FakeClient, type ConnectResult } from './testing/fake-client.js';
import type { FakeNode } from './testing/fake-node.js';
import { Harness, SECRETS } from './testing/harness.js';
import { closeCodeOf, frame, sendRaw, statusOf, upgradeRequest } from './testing/raw-socket.js';

// The table of docs/reference/bad-requests.md: what is sent, and what comes back. Beside all of it a call goes on.

let harness: Harness;
let node: FakeNode;
let sessionId: string;
let bystander: FakeClient;
let streamId: string;
let moderatorToken: string;
let pings: NodeJS.Timeout;

beforeAll(async () => {
  harness = await Harness.start();
  node = await harness.node();
  sessionId = await harness.session();
  bystander = await harness.join(sessionId);
  ({ streamId } = await harness.publish(bystander, node));
  // As the SDK does; one that says nothing is let go of.
  pings = setInterval(() => void bystander.request('ping'), SIGNALLING_PING_INTERVAL_MS);
  moderatorToken = await harness.token(sessionId, 'moderator');
}, 60_000);
afterAll(() => {
  clearInterval(pings);
  return harness.close();
});

interface BadRequest {
  readonly group: string;
  readonly what: string;
  /** As the page shows it. */
  readonly answer: string;
  readonly send: () => Promise<string>;
}
const table: BadRequest[] = [];
const bad = (group: string, what: string, answer: string, send: () => Promise<string>): void =>
  void table.push({ group, what, answer, send });

// ---------------------------------------------------------------- how they are sent

const P = `/v2/project/${SECRETS.apiKey}`;
const S = (): string => `${P}/session/${sessionId}`;

async function rest(
  method: string,
  path: string,
  { headers, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<string> {
  const auth = { 'x-opentok-auth': await harness.projectToken(), 'content-type': 'application/json' };
  const response = await fetch(harness.url + path, {
    method,
    headers: { ...auth, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const code = text.startsWith('{') ? (JSON.parse(text) as { code?: number }).code : undefined;
  return code === undefined ? `${response.status}` : `${response.status}, ${code}`;
}

const json = (value: unknown): { body: string } => ({ body: JSON.stringify(value) });
const raw = async (text: string, waitMs?: number): Promise<string> => {
  const status = statusOf(await sendRaw(harness.url, text, waitMs));
  return status === null ? 'closed without an answer' : `${status}`;
};

/** Claims signed by hand: every rule of a JWT can be broken. */
function jwt(claims: object, { secret = SECRETS.apiSecret, alg = 'HS256' } = {}): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const all = { iss: SECRETS.apiKey, ist: 'project', iat: nowSeconds, exp: nowSeconds + 300, ...claims };
  const text = `${encode({ alg, typ: 'JWT' })}.${encode(all)}`;
  return `${text}.${alg === 'none' ? '' : createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const withJwt = (token: string) => ({ headers: { 'x-opentok-auth': token } });
const clientJwt = (claims: object, options?: { secret?: string; alg?: string }): string =>
  jwt({ scope: 'session.connect', session_id: sessionId, role: 'publisher', ...claims }, options);

async function connect(token: string, changes: object = {}): Promise<string> {
  const client = await FakeClient.open(harness.url);
  const fields = { apiKey: SECRETS.apiKey, sessionId, token, sdkVersion: 'test', sessionMigration: true };
  const answer = await client.request('connect', { ...fields, pathMethod: 'candidate', ...changes }).then(
    () => 'is let in',
    (error: { code: number }) => `error ${error.code}`,
  );
  client.drop();
  return answer;
}

/** A request of a client that has joined; `role` is that of its token. */
async function asks(
  type: string,
  fields: object,
  role: 'publisher' | 'subscriber' | 'publisheronly' | 'moderator' = 'publisher',
): Promise<string> {
  const client = await harness.join(sessionId, { role });
  const answer = await client.request(type, fields).then(
    () => 'done',
    (error: { code?: number }) => (error.code === undefined ? String(error) : `error ${error.code}`),
  );
  client.drop();
  return answer;
}

/** What a message that is none gets, on a socket that has joined. */
async function says(message: string | Buffer): Promise<string> {
  const client = await harness.join(sessionId);
  const before = client.replies.length;
  client.sendRaw(message);
  await client.until(() => client.replies.length > before || client.closed !== null);
  const reply = client.replies.at(-1);
  const answer =
    client.closed !== null
      ? `closed ${client.closed.code}`
      : reply?.ok === false
        ? `error ${reply.error.code}`
        : 'done';
  client.drop();
  return answer;
}

async function wire(...frames: readonly Buffer[]): Promise<string> {
  const bytes = Buffer.concat([Buffer.from(upgradeRequest(SIGNALLING_PATH)), ...frames]);
  const code = closeCodeOf(await sendRaw(harness.url, bytes));
  return code === null ? 'nothing' : `closed ${code}`;
}

// ---------------------------------------------------------------- the table

const REST = 'REST: who asks';
bad(REST, 'no JWT at all', '401, 70001', () =>
  rest('GET', `${S()}/stream`, { headers: { 'x-opentok-auth': '' } }),
);
bad(REST, 'a JWT that is no JWT', '401, 70001', () => rest('GET', `${S()}/stream`, withJwt('x.y.z')));
bad(REST, 'signed with another secret', '401, 70001', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({}, { secret: 'the secret of somebody else' }))),
);
bad(REST, 'algorithm `none`', '401, 70001', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({}, { alg: 'none' }))),
);
bad(REST, 'RS256 in the header, an HMAC as signature', '401, 70001', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({}, { alg: 'RS256' }))),
);
bad(REST, 'HS512', '401, 70001', () => rest('GET', `${S()}/stream`, withJwt(jwt({}, { alg: 'HS512' }))));
bad(REST, 'an expired JWT, as one replayed later is', '401, 70001', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({ exp: 1_000 }))),
);
bad(REST, 'a JWT without `exp`', '401, 70001', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({ exp: undefined }))),
);
bad(REST, 'a JWT that is valid for ten years', '401, 70001', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({ exp: Math.floor(Date.now() / 1_000) + 315_360_000 }))),
);
bad(REST, 'a JWT of an unknown project', '401, 70001', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({ iss: 'nobody' }))),
);
bad(REST, '`ist` of an account', '403, 70002', () =>
  rest('GET', `${S()}/stream`, withJwt(jwt({ ist: 'account' }))),
);
bad(REST, 'a client token instead of a project’s JWT', '403, 70002', () =>
  rest('GET', `${S()}/stream`, withJwt(clientJwt({}))),
);
bad(REST, 'the path of another project', '403, 70002', () =>
  rest('GET', `/v2/project/other/session/${sessionId}/stream`),
);
bad(REST, 'the admin API with a project’s JWT', '401, 70001', async () =>
  rest('GET', '/admin/v1/nodes', { headers: { authorization: `Bearer ${await harness.projectToken()}` } }),
);
bad(REST, 'the admin API with half of the admin token', '401, 70001', () =>
  rest('GET', '/admin/v1/nodes', { headers: { authorization: `Bearer ${SECRETS.adminToken.slice(0, 8)}` } }),
);

const WHAT = 'REST: what is asked';
bad(WHAT, 'a session that is not there', '404, 70004', () => rest('GET', `${P}/session/1_none/stream`));
bad(WHAT, 'a session id of 300 characters', '400, 70000', () =>
  rest('GET', `${P}/session/${'x'.repeat(300)}/stream`),
);
bad(WHAT, 'a session id of 10,000 characters', '400, 70000', () =>
  rest('GET', `${P}/session/${'x'.repeat(10_000)}/stream`),
);
bad(WHAT, 'a stream that is not there', '404, 70005', () => rest('GET', `${S()}/stream/${'0'.repeat(16)}`));
bad(WHAT, 'a path that leads nowhere', '404, 70003', () => rest('GET', '/v3/everything'));
bad(WHAT, 'a method that the path has not', '404, 70003', () => rest('PATCH', `${S()}/stream`));
bad(WHAT, '`../` in a path, as it is', '404', () =>
  raw('GET /sdk/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
);
bad(WHAT, '`..%2f` in a path', '404, 70008', () => rest('GET', '/sdk/..%2f..%2fetc%2fpasswd'));
bad(WHAT, 'a NUL in a path', '404, 70008', () => rest('GET', '/sdk/godwit.js%00.txt'));
bad(WHAT, 'a broken percent encoding', '400, 70000', () => rest('GET', '/sdk/%zz'));
bad(WHAT, 'JSON that is none', '400, 70000', () => rest('POST', `${S()}/signal`, { body: '{"data":' }));
bad(WHAT, 'JSON of another shape', '400, 70000', () => rest('POST', `${S()}/signal`, json([1, 2])));
bad(WHAT, 'a number where text belongs', '400, 70000', () =>
  rest('POST', `${S()}/signal`, json({ data: 7 })),
);
bad(WHAT, 'a prototype in JSON', '400, 70000', () =>
  rest('POST', `${S()}/signal`, { body: '{"__proto__":{"data":"x"}}' }),
);
bad(WHAT, 'a signal without data', '400, 70000', () => rest('POST', `${S()}/signal`, json({ type: 'x' })));
bad(WHAT, 'a signal of 8,193 bytes', '413, 70024', () =>
  rest('POST', `${S()}/signal`, json({ data: 'x'.repeat(8_193) })),
);
bad(WHAT, 'a signal of 4,097 characters of two bytes', '413, 70024', () =>
  rest('POST', `${S()}/signal`, json({ data: 'é'.repeat(4_097) })),
);
bad(WHAT, 'a signal’s type of 129 characters', '400, 70000', () =>
  rest('POST', `${S()}/signal`, json({ type: 'x'.repeat(129), data: '' })),
);
bad(WHAT, 'a signal to nobody', '404, 70016', () =>
  rest('POST', `${S()}/connection/${randomUUID()}/signal`, json({ data: '' })),
);
bad(WHAT, 'to disconnect nobody', '404, 70016', () => rest('DELETE', `${S()}/connection/${randomUUID()}`));
bad(WHAT, 'to mute with a word for `active`', '400, 70000', () =>
  rest('POST', `${S()}/mute`, json({ active: 'yes' })),
);
bad(WHAT, 'to mute all but 1,001 streams', '400, 70000', () =>
  rest('POST', `${S()}/mute`, json({ active: true, excludedStreamIds: Array(1_001).fill('x') })),
);
bad(WHAT, 'layout classes with spaces', '400, 70000', () =>
  rest('PUT', `${S()}/stream`, json({ items: [{ id: streamId, layoutClassList: ['a b'] }] })),
);
bad(WHAT, 'layout classes of a stream that is not there', '404, 70005', () =>
  rest('PUT', `${S()}/stream`, json({ items: [{ id: '0'.repeat(16), layoutClassList: [] }] })),
);
bad(WHAT, 'tones that are none', '400, 70000', () =>
  rest('POST', `${S()}/play-dtmf`, json({ digits: '12a' })),
);
bad(WHAT, 'a token of a role that is none', '400, 70000', () =>
  rest('POST', `${S()}/token`, json({ role: 'king' })),
);
bad(WHAT, 'a token that has expired', '400, 70000', () =>
  rest('POST', `${S()}/token`, json({ expireTime: 1 })),
);
bad(WHAT, 'a receiver of callbacks by file URL', '400, 70000', () =>
  rest('POST', `${P}/callback`, json({ group: 'session', event: 'all', url: 'file:///etc/passwd' })),
);
bad(WHAT, 'a receiver with a password in its URL', '400, 70000', () =>
  rest('POST', `${P}/callback`, json({ group: 'session', event: 'all', url: 'http://a:b@host/' })),
);
bad(WHAT, 'a receiver of an event that is none', '400, 70000', () =>
  rest('POST', `${P}/callback`, json({ group: 'session', event: 'everything', url: 'http://host/' })),
);
bad(WHAT, 'a session at a location that is no IPv4 address', '400, 70000', () =>
  rest('POST', '/session/create', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'location=here',
  }),
);
bad(WHAT, 'a migration to a node that is not there', '404, 70007', () =>
  rest('POST', `${S()}/migrate`, json({ target: 'node-zz' })),
);

const BYTES = 'REST: bytes';
bad(BYTES, 'a body above 64 KiB', '413, 70009', () =>
  rest('POST', `${S()}/signal`, { body: 'x'.repeat(HTTP_BODY_BYTES_MAX + 1) }),
);
bad(BYTES, 'a body as XML', '400, 70000', () =>
  rest('POST', `${S()}/signal`, { headers: { 'content-type': 'text/xml' }, body: '<a/>' }),
);
bad(BYTES, 'bytes that are no UTF-8', '400', async () =>
  raw(
    `POST ${S()}/signal HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `x-opentok-auth: ${await harness.projectToken()}\r\ncontent-length: 4\r\n\r\n\xff\xfe{\x80`,
  ),
);
bad(BYTES, 'headers of 20 kB', '431', () =>
  raw(`GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
);
bad(BYTES, 'a first line that is no HTTP', '400', () => raw('HELLO\r\n\r\n'));
bad(BYTES, 'two lengths (request smuggling)', '400', () =>
  raw('POST /session/create HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'),
);
bad(BYTES, 'a length and chunks (request smuggling)', '400', () =>
  raw(
    'POST /session/create HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
);
bad(BYTES, 'headers that never end', '408', () => raw('GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ', 30_000));
bad(BYTES, 'a body that never ends', '408', async () =>
  raw(
    'POST /session/create HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n' +
      `x-opentok-auth: ${await harness.projectToken()}\r\n\r\na`,
    30_000,
  ),
);
bad(BYTES, 'a body of somebody who has not said who he is', '401', () =>
  raw(
    'POST /session/create HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n' +
      'connection: close\r\n\r\na',
  ),
);

const JOIN = 'Signalling: who joins';
bad(JOIN, 'a token of another session', 'error 1004', async () =>
  connect(await harness.token(await harness.session())),
);
bad(JOIN, 'a token that has expired, as one replayed later is', 'error 1004', () =>
  connect(clientJwt({ exp: 1_000 })),
);
bad(JOIN, 'a token signed with another secret', 'error 1004', () =>
  connect(clientJwt({}, { secret: 'another secret' })),
);
bad(JOIN, 'a token with algorithm `none`', 'error 1004', () => connect(clientJwt({}, { alg: 'none' })));
bad(JOIN, 'a project’s JWT instead of a client token', 'error 1004', () => connect(jwt({})));
bad(JOIN, 'a role that is none', 'error 1004', () => connect(clientJwt({ role: 'king' })));
bad(JOIN, 'connection data of 1,025 characters', 'error 1004', () =>
  connect(clientJwt({ connection_data: 'x'.repeat(1_025) })),
);
bad(JOIN, 'T1 that is garbage', 'error 1004', () =>
  connect(`T1==${Buffer.from('partner_id=1').toString('base64')}`),
);
bad(JOIN, 'an unknown API key', 'error 1004', () => connect(moderatorToken, { apiKey: 'nobody' }));
bad(JOIN, 'a session that is not there', 'error 1005', () =>
  connect(moderatorToken, { sessionId: '1_none' }),
);
bad(JOIN, 'a token of 9,000 characters', 'error 1011', () => connect('x'.repeat(9_000)));
bad(JOIN, 'to resume with a token that is not its own', 'error 1010', async () => {
  const victim: FakeClient & { joined: ConnectResult } = await harness.join(sessionId);
  const thief = await FakeClient.open(harness.url);
  const { connectionId } = victim.joined.connection;
  const answer = await thief
    .request('resume', { connectionId, resumeToken: 'guessed', lastSeq: 0 })
    .catch((error: { code: number }) => `error ${error.code}`);
  victim.drop();
  thief.drop();
  return String(answer);
});
bad(JOIN, 'anything before `connect`', 'error 1010', async () => {
  const client = await FakeClient.open(harness.url);
  const answer = await client.request('ping').catch((error: { code: number }) => `error ${error.code}`);
  client.drop();
  return String(answer);
});

const ROLE = 'Signalling: what a role does not allow';
const STREAM = { name: '', hasAudio: true, hasVideo: false, videoDimensions: { width: 0, height: 0 } };
bad(ROLE, 'a subscriber publishes', 'error 1500', () => asks('createStream', STREAM, 'subscriber'));
bad(ROLE, 'a subscriber signals', 'error 1510', () => asks('signal', { data: 'x' }, 'subscriber'));
bad(ROLE, 'a publisher disconnects somebody', 'error 1520', () =>
  asks('forceDisconnect', { connectionId: 'x' }),
);
bad(ROLE, 'a publisher takes a stream away', 'error 1530', () => asks('forceUnpublish', { streamId }));
bad(ROLE, 'a publisher mutes somebody', 'error 1540', () => asks('forceMuteStream', { streamId }));
bad(ROLE, 'a moderator disconnects nobody', 'error 1011', () =>
  asks('forceDisconnect', { connectionId: randomUUID() }, 'moderator'),
);
bad(ROLE, 'a moderator takes a stream away that is not there', 'error 1535', () =>
  asks('forceUnpublish', { streamId: '0'.repeat(16) }, 'moderator'),
);
bad(ROLE, 'somebody ends the stream of another', 'error 1604', () => asks('destroyStream', { streamId }));

const MESSAGE = 'Signalling: messages';
bad(MESSAGE, 'text that is no JSON', 'error 1011', () => says('hello'));
bad(MESSAGE, 'bytes instead of text', 'error 1011', () => says(Buffer.from([0, 1, 2])));
bad(MESSAGE, 'a type that is none', 'error 1011', () => says('{"id":1,"type":"explode"}'));
bad(MESSAGE, 'no id', 'error 1011', () => says('{"type":"ping"}'));
bad(MESSAGE, 'an id of 2^60', 'error 1011', () => says(`{"id":${2 ** 60},"type":"ping"}`));
bad(MESSAGE, 'JSON nested 50,000 deep', 'error 1011', () => says('['.repeat(50_000) + ']'.repeat(50_000)));
bad(MESSAGE, 'an offer that is no SDP', 'error 1011', () =>
  asks('offer', { sdp: 'hello', publications: [], subscriptions: [] }),
);
bad(MESSAGE, 'a signal of 8,193 characters', 'error 1011', () => asks('signal', { data: 'x'.repeat(8_193) }));
bad(MESSAGE, 'a signal to nobody', 'error 1510', () => asks('signal', { data: 'x', to: randomUUID() }));
bad(MESSAGE, 'a message above 512 KiB', 'closed 1009', () =>
  says('x'.repeat(SIGNALLING_MESSAGE_BYTES_MAX + 1)),
);

const FRAMES = 'Signalling: frames';
bad(FRAMES, 'an upgrade on another path', '404', () => raw(upgradeRequest('/elsewhere')));
bad(FRAMES, 'WebSocket version 8', '400', () =>
  raw(upgradeRequest(SIGNALLING_PATH, { 'sec-websocket-version': '7' })),
);
bad(FRAMES, 'no key', '400', () => raw(upgradeRequest(SIGNALLING_PATH, { 'sec-websocket-key': null })));
bad(FRAMES, 'a frame without a mask', 'closed 1002', () =>
  wire(frame(1, Buffer.from('{}'), { isMasked: false })),
);
bad(FRAMES, 'reserved bits', 'closed 1002', () => wire(frame(1, Buffer.from('{}'), { reserved: 7 })));
bad(FRAMES, 'an opcode that is none', 'closed 1002', () => wire(frame(5, Buffer.from('{}'))));
bad(FRAMES, 'a ping in two pieces', 'closed 1002', () =>
  wire(frame(9, Buffer.from('x'), { isFinal: false })),
);
bad(FRAMES, 'a continuation of nothing', 'closed 1002', () => wire(frame(0, Buffer.from('x'))));
bad(FRAMES, 'text that is no UTF-8', 'closed 1007', () => wire(frame(1, Buffer.from([0xff, 0xfe]))));
bad(FRAMES, 'a close with a code that is none', 'closed 1002', () => wire(frame(8, Buffer.from([0, 1]))));
bad(FRAMES, 'a frame that says it is 2^62 bytes long', 'closed 1009', () =>
  wire(Buffer.from([0x81, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
);

// ---------------------------------------------------------------- what comes back

describe('a bad request', () => {
  it.concurrent.each(table.map((request) => [request.group, request.what, request] as const))(
    '%s: %s',
    { timeout: 60_000 },
    async (_group, _what, { answer, send }) => {
      expect(await send()).toBe(answer);
    },
  );

  it('is one of at least sixty, and the page of the reference says what each gets', async () => {
    expect(table.length).toBeGreaterThanOrEqual(60);
    // Renew it with `npx vitest run packages/control/src/bad-requests.test.ts -u`.
    await expect(page()).toMatchFileSnapshot('../../../docs/reference/bad-requests.md');
  });

  it('disturbs nobody: the client beside all of them is where it was', async () => {
    expect(bystander.closed).toBe(null);
    await expect(bystander.request('ping')).resolves.toEqual({});
    expect(harness.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
    const secrets = Object.values(SECRETS).filter((secret) => secret !== SECRETS.apiKey);
    expect(harness.logs.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  });
});

function page(): string {
  const lines = [
    '# Bad requests, and what they get',
    '',
    'REST answers are shown as HTTP status and `code` of the body, signalling answers as the error’s code or the close code of the socket.',
    'Every line is a test (`packages/control/src/bad-requests.test.ts`); a call beside them goes on, and nothing of a secret is logged.',
  ];
  let group = '';
  for (const request of table) {
    if (request.group !== group) {
      group = request.group;
      lines.push('', `## ${group}`, '', '| what | answer |', '| --- | --- |');
    }
    lines.push(`| ${request.what} | ${request.answer} |`);
  }
  return `${lines.join('\n')}\n`;
}
