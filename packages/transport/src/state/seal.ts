import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** DER around a raw X25519 key (RFC 8410 7 and 4). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** What a sealed state is for. It opens only for exactly this. */
export interface SealContext {
  readonly moveId: string;
  readonly transportId: string;
  /** Epoch of the new owner. */
  readonly epoch: number;
}

/** An X25519 key pair of one move. */
export class SealKeyPair {
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
  readonly #privateKey: Buffer;
  #isDestroyed = false;

  /** @param privateKey 32 random bytes, which the pair keeps and zeroes */
  constructor(privateKey: Buffer) {
    if (privateKey.length !== KEY_BYTES) throw new RangeError('an X25519 key has 32 bytes');
    this.#privateKey = privateKey;
    this.publicKey = rawPublicKey(importPrivateKey(privateKey));
  }

  /** ECDH with a raw public key. Null when that is no point of use, or after {@link destroy}. */
  sharedSecret(publicKey: Buffer): Buffer | null {
    if (this.#isDestroyed || publicKey.length !== KEY_BYTES) return null;
    try {
      return diffieHellman({
        privateKey: importPrivateKey(this.#privateKey),
        publicKey: importPublicKey(publicKey),
      });
    } catch {
      // OpenSSL refuses points of low order, which would make the secret known to everybody.
      return null;
    }
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#privateKey.fill(0);
  }
}

export function createSealKeyPair(): SealKeyPair {
  return new SealKeyPair(randomBytes(KEY_BYTES));
}

/**
 * Seals bytes to the recipient's per-move key: X25519 with a fresh ephemeral key, HKDF-SHA256, AES-256-GCM with the
 * context as associated data. Layout: ephemeral public key, ciphertext, tag. The caller zeroes `plaintext`. Throws
 * RangeError when the recipient's key is no use.
 */
export function sealState(plaintext: Buffer, recipientPublicKey: Buffer, context: SealContext): Buffer {
  const ephemeral = createSealKeyPair();
  const secret = ephemeral.sharedSecret(recipientPublicKey);
  ephemeral.destroy();
  if (secret === null) throw new RangeError('the recipient’s key is no X25519 public key');
  const { key, nonce } = deriveKey(secret, ephemeral.publicKey, recipientPublicKey);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  key.fill(0);
  cipher.setAAD(contextBytes(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([ephemeral.publicKey, ciphertext, cipher.getAuthTag()]);
}

/** The plaintext, which the caller zeroes; null when it was not sealed to this key for this context. Never throws. */
export function openState(sealed: Buffer, keys: SealKeyPair, context: SealContext): Buffer | null {
  if (sealed.length < KEY_BYTES + TAG_BYTES) return null;
  const ephemeralKey = sealed.subarray(0, KEY_BYTES);
  const secret = keys.sharedSecret(ephemeralKey);
  if (secret === null) return null;
  const { key, nonce } = deriveKey(secret, ephemeralKey, keys.publicKey);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  key.fill(0);
  decipher.setAAD(contextBytes(context));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(KEY_BYTES, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return null;
  }
}

/** Zeroes the secret. Both public keys go in, so that the key belongs to this exchange alone. */
function deriveKey(
  secret: Buffer,
  ephemeralKey: Buffer,
  recipientKey: Buffer,
): { key: Buffer; nonce: Buffer } {
  const salt = Buffer.concat([ephemeralKey, recipientKey]);
  const derived = Buffer.from(
    hkdfSync('sha256', secret, salt, 'godwit sealed state 1', KEY_BYTES + NONCE_BYTES),
  );
  secret.fill(0);
  return { key: derived.subarray(0, KEY_BYTES), nonce: derived.subarray(KEY_BYTES) };
}

/** One text for one context: JSON escapes what could run together. */
function contextBytes({ moveId, transportId, epoch }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([moveId, transportId, epoch]), 'utf8');
}

function importPrivateKey(raw: Buffer): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, raw]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

function importPublicKey(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return Buffer.from(der.subarray(SPKI_PREFIX.length));
}
