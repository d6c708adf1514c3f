import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Says how the rest is to be read. */
const VERSION = 'v1.';

/** Seals what the database has to keep and must not be able to read: AES-256-GCM under the installation's storage key. */
export class SecretBox {
  readonly #key: Buffer;

  constructor(storageKey: string) {
    this.#key = Buffer.from(hkdfSync('sha256', storageKey, '', 'godwit project secrets', KEY_BYTES));
  }

  /** `owner` is bound to it: what is sealed for one project cannot be passed off as another's. */
  seal(secret: string, owner: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return VERSION + sealed.toString('base64url');
  }

  /** Null when it was sealed with another key or for another owner, or is damaged. */
  open(text: string, owner: string): string | null {
    if (!text.startsWith(VERSION)) return null;
    const sealed = Buffer.from(text.slice(VERSION.length), 'base64url');
    if (sealed.length < IV_BYTES + TAG_BYTES) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(owner))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return (
        decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      );
    } catch {
      return null;
    }
  }
}
