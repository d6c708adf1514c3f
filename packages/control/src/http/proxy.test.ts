import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { makeCertificate } from '@godwit/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeClient, type ConnectResult } from '../testing/fake-client.js';
import { Harness, SECRETS } from '../testing/harness.js';

// A proxy that ends TLS and forwards to control as nginx does by the guide: X-Forwarded headers, and upgrades as they are.

let pem: { cert: string; key: string };
let harness: Harness;
let proxy: Proxy | null = null;

beforeAll(async () => void (pem = await makeCertificate()));
afterEach(async () => {
  proxy?.close();
  proxy = null;
  await harness.close();
});

class Proxy {
  readonly #server: Server;
  readonly #target: URL;
  /** What it says that its callers' address is. */
  caller = '198.51.100.1';

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = new URL(target);
    server.on('request', (request, response) => {
      const headers = { ...request.headers, ...this.#forwarded(request) };
      const { hostname: host, port } = this.#target;
      const onward = httpRequest(
        { host, port, path: request.url, method: request.method, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(onward);
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      const lines = Object.entries({ ...request.headers, ...this.#forwarded(request) });
      const onward = connect(Number(this.#target.port), this.#target.hostname);
      onward.write(
        `GET ${request.url ?? ''} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${String(value)}`).join('\r\n')}\r\n\r\n`,
      );
      onward.pipe(socket).on('error', () => onward.destroy());
      socket.pipe(onward).on('error', () => socket.destroy());
    });
  }

  static async start(target: string): Promise<Proxy> {
    const server = createServer(pem).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server, target);
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #forwarded({ headers }: IncomingMessage): Record<string, string> {
    return {
      'x-forwarded-for': this.caller,
      'x-forwarded-proto': 'https',
      'x-forwarded-host': headers.host ?? '',
      host: this.#target.host,
    };
  }
}

/** A request to the proxy; answers status and body. */
function ask(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      `${proxy!.url}${path}`,
      { method, headers, ca: pem.cert, agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        );
      },
    );
    call.on('error', reject).end();
  });
}

const guess = (): Promise<{ status: number }> =>
  ask('/admin/v1/nodes', { headers: { authorization: 'Bearer a guess' } });

async function tokenUrl(): Promise<string> {
  const sessionId = await harness.session();
  const { text } = await ask(`/v2/project/${SECRETS.apiKey}/session/${sessionId}/token`, {
    method: 'POST',
    headers: { 'x-opentok-auth': await harness.projectToken() },
  });
  const { token } = JSON.parse(text) as { token: string };
  return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { url: string }).url;
}

async function start(trustedProxies: readonly string[]): Promise<void> {
  harness = await Harness.start({
    trustedProxies,
    rateLimits: { projectPerSecond: 0, failuresPerMinute: 2 },
  });
  proxy = await Proxy.start(harness.url);
}

/** Each test starts a control of its own. */
const SLOW = { timeout: 60_000 };

describe('behind a proxy that the settings name', SLOW, () => {
  it('tokens name the URL of the proxy, and clients join through it', async () => {
    await start(['loopback']);
    expect(await tokenUrl()).toBe(proxy!.url);
    const sessionId = await harness.session();
    const client = await FakeClient.open(proxy!.url, pem.cert);
    const { connection } = await client.request<ConnectResult>('connect', {
      apiKey: SECRETS.apiKey,
      sessionId,
      token: await harness.token(sessionId),
      sdkVersion: 'test',
      sessionMigration: true,
      pathMethod: 'candidate',
    });
    expect(connection.connectionId).not.toBe('');
    client.drop();
  });

  it('each caller fails for himself', async () => {
    await start(['127.0.0.0/8', '::1']);
    for (const status of [401, 401, 429]) expect((await guess()).status).toBe(status);
    proxy!.caller = '198.51.100.2';
    expect((await guess()).status).toBe(401);
    // The nearest address that is not a proxy counts: what a caller claims before it does not.
    proxy!.caller = '203.0.113.9, 198.51.100.1';
    expect((await guess()).status).toBe(429);
    expect(harness.logs.join('')).not.toContain('GODWIT_TRUSTED_PROXIES');
  });
});

describe('behind a proxy that the settings do not name', SLOW, () => {
  it('nothing that it forwards is believed, and it is told once', async () => {
    await start(['10.0.0.0/8']);
    expect(await tokenUrl()).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(await tokenUrl()).toBe(harness.url);
    for (const status of [401, 401, 429]) expect((await guess()).status).toBe(status);
    proxy!.caller = '198.51.100.2';
    expect((await guess()).status).toBe(429);
    const told = harness.logs.filter((line) => line.includes('GODWIT_TRUSTED_PROXIES'));
    expect(told).toHaveLength(1);
  });
});

describe('a page of any origin', SLOW, () => {
  it('may ask, see when to ask again, and is given no cookie', async () => {
    await start([]);
    const preflight = await ask('/v2/project/1/session/2/stream', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://page.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'x-opentok-auth,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(preflight.headers['access-control-allow-methods']).toContain('PUT');
    expect(preflight.headers['access-control-allow-headers']).toContain('x-opentok-auth');
    // Errors too: a page could not tell them from a broken network.
    for (const path of ['/v2/project/1/session/2/stream', '/admin/v1/nodes', '/nowhere']) {
      const { headers, status } = await ask(path, { headers: { origin: 'https://page.example' } });
      expect([path, status]).toEqual([path, path === '/nowhere' ? 404 : 401]);
      expect(headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'retry-after',
      });
      expect(headers['set-cookie']).toBeUndefined();
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
  });
});
