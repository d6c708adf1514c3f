import type { DtlsFingerprint } from '@godwit/protocol';
import { DtlsServerHandshake, type DtlsHandshake, type NodeCertificate } from '@godwit/transport';

/** Makes the handshakes of new transports, all with the node's one certificate. */
export interface Handshakes {
  readonly fingerprint: DtlsFingerprint;
  create(remote: DtlsFingerprint): DtlsHandshake;
}

/** Handshakes of real DTLS. */
export function handshakesWith(certificate: NodeCertificate): Handshakes {
  return {
    fingerprint: certificate.fingerprint,
    create: (remote) => new DtlsServerHandshake(certificate, remote),
  };
}
