// How: makes real certificates in a folder of its own and serves HTTPS with one.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareLanCertificate } from './certificate.js';

const NOW = new Date();
const DAY_MS = 86_400_000;

describe('the LAN certificate', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'godwit-lan-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('names the addresses, and its key is readable by its owner alone', async () => {
    const { certFile, keyFile } = await prepareLanCertificate(dataDir, ['192.168.1.2'], NOW);
    const certificate = new X509Certificate(readFileSync(certFile));
    expect(certificate.checkIP('192.168.1.2')).toBe('192.168.1.2');
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  });

  it('is kept as long as it fits', async () => {
    const { certFile } = await prepareLanCertificate(dataDir, ['192.168.1.2'], NOW);
    const first = readFileSync(certFile, 'utf8');
    await prepareLanCertificate(dataDir, ['192.168.1.2'], NOW);
    expect(readFileSync(certFile, 'utf8')).toBe(first);
    await prepareLanCertificate(dataDir, ['192.168.1.3'], NOW);
    expect(readFileSync(certFile, 'utf8')).not.toBe(first);
  });

  it('is replaced before it ends', async () => {
    const { certFile } = await prepareLanCertificate(dataDir, ['192.168.1.2'], NOW);
    const first = readFileSync(certFile, 'utf8');
    await prepareLanCertificate(dataDir, ['192.168.1.2'], new Date(NOW.getTime() + 340 * DAY_MS));
    expect(readFileSync(certFile, 'utf8')).not.toBe(first);
  });

  it('serves HTTPS to a client that trusts it', async () => {
    const { certFile, keyFile } = await prepareLanCertificate(dataDir, ['192.168.1.2'], NOW);
    const cert = readFileSync(certFile);
    const server = https.createServer({ cert, key: readFileSync(keyFile) }, (_request, response) =>
      response.end('ok'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const status = await new Promise((resolve, reject) => {
      https
        .get({ host: '127.0.0.1', port, ca: cert, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on('error', reject);
    });
    server.close();
    expect(status).toBe(200);
  });
});
