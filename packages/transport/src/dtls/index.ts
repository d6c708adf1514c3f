export type { DtlsFailure, DtlsHandshake, DtlsOutput } from './dtls-handshake.js';
export { DtlsServerHandshake } from './dtls-server-handshake.js';
export { certificateFingerprint, fingerprintMatches } from './fingerprint.js';
export { createNodeCertificate, type NodeCertificate } from './node-certificate.js';
