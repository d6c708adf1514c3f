import { createHash } from 'node:crypto';
import type { DtlsFingerprint } from '@godwit/protocol';

/** Hash functions of RFC 8122 5 that are not broken, by their SDP names. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};

/** Fingerprint of a DER certificate as SDP writes it. Throws RangeError on an unknown algorithm. */
export function certificateFingerprint(certificate: Buffer, algorithm = 'sha-256'): DtlsFingerprint {
  const value = fingerprintValue(certificate, algorithm);
  if (value === null) throw new RangeError(`unknown fingerprint algorithm ${algorithm}`);
  return { algorithm, value };
}

/** True when the certificate is the signalled one; false for unknown algorithms too. Letter case does not count. */
export function fingerprintMatches(certificate: Buffer, signalled: DtlsFingerprint): boolean {
  return fingerprintValue(certificate, signalled.algorithm.toLowerCase()) === signalled.value.toUpperCase();
}

function fingerprintValue(certificate: Buffer, algorithm: string): string | null {
  const hash = Object.hasOwn(ALGORITHMS, algorithm) ? ALGORITHMS[algorithm] : undefined;
  if (hash === undefined) return null;
  const digest = createHash(hash).update(certificate).digest();
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
}
