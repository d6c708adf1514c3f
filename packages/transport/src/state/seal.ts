import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a sealed state is for. It opens only for exactly this. */
export interface SealContext {
  readonly moveId: string;
  readonly transportId: string;
  /** Epoch of the new owner. */
  readonly epoch: number;
}

/**
 * An X25519 key pair of one move. The private key never leaves OpenSSL's memory, which is cleansed when the key is freed;
 * importing it from bytes for each use cost 400 microseconds of a core each time.
 */
export class SealKeyPair {
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
  #privateKey: KeyObject | null;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    this.#privateKey = privateKey;
    this.publicKey = rawPublicKey(publicKey);
  }

  /** ECDH with a raw public key. Null when that is no point of use, or after {@link destroy}. */
  sharedSecret(publicKey: Buffer): Buffer | null {
    if (this.#privateKey === null || publicKey.length !== KEY_BYTES) return null;
    try {
      return diffieHellman({ privateKey: this.#privateKey, publicKey: importPublicKey(publicKey) });
    } catch {
      // OpenSSL refuses points of low order, which would make the secret known to everybody.
      return null;
    }
  }

  /** The key is of no use from now on. */
  destroy(): void {
    this.#privateKey = null;
  }
}

export function createSealKeyPair(): SealKeyPair {
  return new SealKeyPair();
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

/** As JWK (RFC 8037): OpenSSL takes twenty times as long for the same key in DER. */
function importPublicKey(raw: Buffer): KeyObject {
  return createPublicKey({
    key: { kty: 'OKP', crv: 'X25519', x: raw.toString('base64url') },
    format: 'jwk',
  });
}

function rawPublicKey(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
}
