import { webcrypto } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import { LAN_CERTIFICATE_DAYS, LAN_CERTIFICATE_RENEW_DAYS } from '../limits.js';

const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** id-kp-serverAuth, RFC 5280 4.2.1.12. */
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';

/** PEM files in the data folder; the key is readable by this user alone. */
export interface LanCertificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * The HTTPS certificate for `addresses` and this machine itself: the kept one while it names them all and lasts,
 * else a new one. Browsers give camera and microphone only to secure origins, and a LAN address is none over HTTP.
 */
export async function prepareLanCertificate(
  dataDir: string,
  addresses: readonly string[],
  now: Date,
): Promise<LanCertificate> {
  const folder = path.join(dataDir, 'lan');
  const files = { certFile: path.resolve(folder, 'cert.pem'), keyFile: path.resolve(folder, 'key.pem') };
  const kept = await readFile(files.certFile, 'utf8').catch(() => undefined);
  if (kept !== undefined && isUsable(kept, addresses, now)) return files;
  const { cert, key } = await createCertificate(addresses, now);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The key first: a certificate without its key would be taken for complete at the next start.
  await replaceFile(files.keyFile, key);
  await replaceFile(files.certFile, cert);
  return files;
}

function isUsable(pem: string, addresses: readonly string[], now: Date): boolean {
  try {
    const certificate = new x509.X509Certificate(pem);
    const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
    const named = new Set(names.map(({ value }) => value));
    const lasts = certificate.notAfter.getTime() - now.getTime() > LAN_CERTIFICATE_RENEW_DAYS * DAY_MS;
    return lasts && addresses.every((address) => named.has(address));
  } catch {
    return false;
  }
}

async function createCertificate(
  addresses: readonly string[],
  now: Date,
): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Godwit on this machine',
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + LAN_CERTIFICATE_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.ExtendedKeyUsageExtension([SERVER_AUTHENTICATION]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        ...['127.0.0.1', ...addresses].map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  };
}

async function replaceFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
