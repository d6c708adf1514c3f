import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from 'node:crypto';

/** SignatureAndHashAlgorithm (RFC 5246 7.4.1.4.1) to what node:crypto needs. */
const SIGNATURES: ReadonlyMap<number, { readonly hash: string; readonly keyType: string }> = new Map([
  [0x0403, { hash: 'sha256', keyType: 'ec' }],
  [0x0401, { hash: 'sha256', keyType: 'rsa' }],
]);
const VERIFY_DATA_BYTES = 12;

/**
 * True when the body of a CertificateVerify is a signature over the transcript by the key of the certificate: without
 * it anyone who has seen the certificate could present it (RFC 5246 7.4.8). Never throws.
 */
export function verifyCertificateVerify(certificate: Buffer, transcript: Buffer, body: Buffer): boolean {
  if (body.length < 4 || body.readUInt16BE(2) !== body.length - 4) return false;
  const algorithm = SIGNATURES.get(body.readUInt16BE(0));
  if (algorithm === undefined) return false;
  try {
    const { publicKey } = new X509Certificate(certificate);
    if (publicKey.asymmetricKeyType !== algorithm.keyType) return false;
    return verify(algorithm.hash, transcript, publicKey, body.subarray(4));
  } catch {
    return false;
  }
}

/** True when the client's Finished covers the transcript (RFC 5246 7.4.9): nobody changed a message on its way. */
export function verifyClientFinished(masterSecret: Buffer, transcript: Buffer, body: Buffer): boolean {
  const transcriptHash = createHash('sha256').update(transcript).digest();
  const seed = Buffer.concat([Buffer.from('client finished', 'latin1'), transcriptHash]);
  const expected = pHashSha256(masterSecret, seed).subarray(0, VERIFY_DATA_BYTES);
  return body.length === VERIFY_DATA_BYTES && timingSafeEqual(body, expected);
}

/** First block of P_SHA256 (RFC 5246 5): 32 bytes. */
function pHashSha256(secret: Buffer, seed: Buffer): Buffer {
  const first = createHmac('sha256', secret).update(seed).digest();
  return createHmac('sha256', secret).update(first).update(seed).digest();
}
