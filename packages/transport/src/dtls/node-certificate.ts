import { X509Certificate } from 'node:crypto';
import type { DtlsFingerprint } from '@godwit/protocol';
import { CipherContext, HashAlgorithm, NamedCurveAlgorithm, SignatureAlgorithm } from 'werift';
import { certificateFingerprint } from './fingerprint.js';

/** A node's self-signed ECDSA P-256 certificate. It lives as long as the process and never leaves it. */
export interface NodeCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** sha-256: what the node's descriptions say. */
  readonly fingerprint: DtlsFingerprint;
}

export const CERTIFICATE_SIGNATURE = {
  hash: HashAlgorithm.sha256_4,
  signature: SignatureAlgorithm.ecdsa_3,
} as const;

export async function createNodeCertificate(): Promise<NodeCertificate> {
  const { certPem, keyPem } = await CipherContext.createSelfSignedCertificateWithKey(
    CERTIFICATE_SIGNATURE,
    NamedCurveAlgorithm.secp256r1_23,
  );
  return {
    certificatePem: certPem,
    privateKeyPem: keyPem,
    fingerprint: certificateFingerprint(new X509Certificate(certPem).raw),
  };
}
