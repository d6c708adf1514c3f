import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '@godwit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TLS_FILES_LOOK_MS } from '../limits.js';
import { FakeClient, type ConnectResult } from '../testing/fake-client.js';
import { Harness, SECRETS } from '../testing/harness.js';

// A real listener of HTTPS with a certificate that is made here, from files.

let folder: string;
let files: { cert: string; key: string };
let pem: { cert: string; key: string };
let harness: Harness;

function write({ cert, key }: { cert: string; key: string }): void {
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'godwit-tls-'));
  files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  pem = await makeCertificate('the first');
  write(pem);
  harness = await Harness.start({ tlsFiles: files });
}, 60_000);
afterAll(async () => {
  await harness.close();
  rmSync(folder, { recursive: true });
});

/** A request over a connection of its own; answers also whose certificate it met. */
function ask(
  path: string,
  options: RequestOptions = {},
): Promise<{ status: number; text: string; subject: string }> {
  return new Promise((resolve, reject) => {
    const call = request(harness.url + path, { agent: false, ca: pem.cert, ...options }, (response) => {
      const { CN: subject } = (response.socket as TLSSocket).getPeerCertificate().subject;
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, subject: String(subject) }));
    });
    call.on('error', reject).end();
  });
}

describe('a listener with a certificate', () => {
  it('speaks HTTPS, and names itself so in tokens', async () => {
    expect(harness.url).toMatch(/^https:/);
    expect(await ask('/api/client/v2/status')).toMatchObject({ status: 200, subject: 'the first' });
    const sessionId = await harness.session();
    const { text } = await ask(`/v2/project/${SECRETS.apiKey}/session/${sessionId}/token`, {
      method: 'POST',
      headers: { 'x-opentok-auth': await harness.projectToken() },
    });
    const { token } = JSON.parse(text) as { token: string };
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { url: string };
    expect(claims.url).toBe(harness.url);
  });

  it('lets clients in over its sockets', async () => {
    const sessionId = await harness.session();
    const client = await FakeClient.open(harness.url, pem.cert);
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

  it('is believed only by who trusts it, and answers no plain HTTP', async () => {
    await expect(ask('/health', { ca: [] })).rejects.toThrow('self-signed certificate');
    await expect(fetch(harness.url.replace('https', 'http'))).rejects.toThrow();
  });

  it('takes a renewed certificate up, once both files fit', async () => {
    const renewed = await makeCertificate('the second');
    writeFileSync(files.cert, renewed.cert);
    harness.clock.offsetMs += TLS_FILES_LOOK_MS;
    await expect.poll(() => harness.logs.join(''), { timeout: 5_000 }).toContain('could not be renewed');
    expect((await ask('/api/client/v2/status')).subject).toBe('the first');
    writeFileSync(files.key, renewed.key);
    harness.clock.offsetMs += TLS_FILES_LOOK_MS;
    await expect
      .poll(() => harness.logs.join(''), { timeout: 5_000 })
      .toContain('the certificate was renewed');
    pem = renewed;
    expect(await ask('/api/client/v2/status')).toMatchObject({ status: 200, subject: 'the second' });
    expect(harness.logs.join('')).not.toContain('PRIVATE KEY');
  });
});

describe('a certificate that cannot be used', { timeout: 60_000 }, () => {
  it.each([
    ['is not there', (): void => rmSync(files.cert), 'cannot be read. Check the path'],
    [
      'is none',
      (): void => writeFileSync(files.cert, 'none'),
      'are not a certificate and its private key in PEM form',
    ],
    [
      'has another key',
      (): void => writeFileSync(files.key, other.key),
      'are not a certificate and its private key',
    ],
  ])('because it %s, is one line', async (_why, spoil, message) => {
    write(pem);
    spoil();
    await expect(Harness.start({ tlsFiles: files })).rejects.toThrow(message);
    await expect(Harness.start({ tlsFiles: files })).rejects.toThrow(/^[^\n]+$/);
  });

  let other: { cert: string; key: string };
  beforeAll(async () => void (other = await makeCertificate('another')));
});
