import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import type { NodeRegistration } from '@godwit/protocol';

const LINK_KEY_CONTEXT = 'godwit-link-key';
const X25519_RAW_BYTES = 32;

/**
 * Why a registration is refused, or null when it proves itself: the join key by HMAC, the identity by Ed25519, and the
 * link key by the identity's signature. Never throws.
 */
export function registrationRefusal(
  registration: NodeRegistration,
  nonce: Buffer,
  joinKey: string,
): 'join key' | 'identity' | 'link key' | null {
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  const identityKey = bytes(registration.identityKey);
  const linkKey = bytes(registration.linkKey);
  const joinProof = bytes(registration.joinProof);
  const expected = createHmac('sha256', joinKey).update(nonce).update(identityKey).update(linkKey).digest();
  if (joinProof.length !== expected.length || !timingSafeEqual(joinProof, expected)) return 'join key';
  if (!signed(identityKey, Buffer.concat([nonce, joinProof]), bytes(registration.signature)))
    return 'identity';
  const statement = Buffer.concat([
    Buffer.from(LINK_KEY_CONTEXT),
    Buffer.from(registration.bootId, 'hex'),
    linkKey,
  ]);
  if (linkKey.length !== X25519_RAW_BYTES) return 'link key';
  return signed(identityKey, statement, bytes(registration.linkKeySignature)) ? null : 'link key';
}

function signed(identityKey: Buffer, statement: Buffer, signature: Buffer): boolean {
  try {
    const key = createPublicKey({ key: identityKey, type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, statement, key, signature);
  } catch {
    return false;
  }
}
