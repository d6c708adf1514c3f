import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';
import type { LinkOptions } from '@godwit/datapath';
import { INDEX_NEW, IndexWindow } from './index-window.js';
import { LINK_REPLAY_BITS } from './limits.js';
import type { SendSlab } from './send-slab.js';

const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;
const TAG_OPTIONS = { authTagLength: TAG_BYTES } as const;
const NONCE_BYTES = 12;
const COUNTER_OFFSET = 9;
/** Type, session id (8), counter (8). */
export const SEALED_HEADER_BYTES = 17;
/** Type of a sealed frame: the first version. */
export const SEALED_FRAME_TYPE = 1;

/**
 * Seals and opens the frames of one link: type, session id and counter in clear and authenticated, the rest under
 * AES-256-GCM with salt XOR counter as nonce. Counters never repeat: they end long before 2^53 frames are sent.
 */
export class LinkCipher {
  readonly #options: LinkOptions;
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  readonly #window = new IndexWindow(LINK_REPLAY_BITS);
  #nextCounter: number;

  /** @param former a cipher that this one replaces: under the same sending key its counter goes on */
  constructor(options: LinkOptions, former: LinkCipher | null) {
    assertSizes(options);
    this.#options = {
      ...options,
      sessionId: Buffer.from(options.sessionId),
      sendKey: Buffer.from(options.sendKey),
      sendSalt: Buffer.from(options.sendSalt),
      receiveKey: Buffer.from(options.receiveKey),
      receiveSalt: Buffer.from(options.receiveSalt),
    };
    const isSameKey = former !== null && timingSafeEqual(former.#options.sendKey, options.sendKey);
    this.#nextCounter = isSameKey ? former.#nextCounter : 0;
  }

  get sessionId(): Buffer {
    return this.#options.sessionId;
  }

  /** The sealed frame of `headerLength` bytes of `header` followed by `payload`, in a view of the slab. */
  seal(slab: SendSlab, header: Buffer, headerLength: number, payload: Uint8Array): Buffer {
    const frame = slab.take(SEALED_HEADER_BYTES + headerLength + payload.length + TAG_BYTES);
    const counter = this.#nextCounter++;
    frame[0] = SEALED_FRAME_TYPE;
    this.#options.sessionId.copy(frame, 1);
    frame.writeUInt32BE(Math.floor(counter / 2 ** 32), COUNTER_OFFSET);
    frame.writeUInt32BE(counter % 2 ** 32, COUNTER_OFFSET + 4);
    this.#setNonce(this.#options.sendSalt, frame);
    const cipher = createCipheriv(ALGORITHM, this.#options.sendKey, this.#nonce, TAG_OPTIONS);
    cipher.setAAD(frame.subarray(0, SEALED_HEADER_BYTES));
    cipher.update(header.subarray(0, headerLength)).copy(frame, SEALED_HEADER_BYTES);
    cipher.update(payload).copy(frame, SEALED_HEADER_BYTES + headerLength);
    cipher.final();
    cipher.getAuthTag().copy(frame, frame.length - TAG_BYTES);
    return frame;
  }

  /** The plaintext in a buffer of its own, `'replayed'`, or null for what this link's peer did not seal. */
  open(frame: Buffer): Buffer | 'replayed' | null {
    if (frame.length < SEALED_HEADER_BYTES + TAG_BYTES) return null;
    const counter = frame.readUInt32BE(COUNTER_OFFSET) * 2 ** 32 + frame.readUInt32BE(COUNTER_OFFSET + 4);
    if (counter > Number.MAX_SAFE_INTEGER) return null;
    if (this.#window.check(counter) !== INDEX_NEW) return 'replayed';
    this.#setNonce(this.#options.receiveSalt, frame);
    const decipher = createDecipheriv(ALGORITHM, this.#options.receiveKey, this.#nonce, TAG_OPTIONS);
    decipher.setAAD(frame.subarray(0, SEALED_HEADER_BYTES));
    decipher.setAuthTag(frame.subarray(frame.length - TAG_BYTES));
    const plaintext = decipher.update(frame.subarray(SEALED_HEADER_BYTES, frame.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      return null;
    }
    this.#window.add(counter);
    return plaintext;
  }

  /** Forgets the keys. */
  zero(): void {
    this.#options.sendKey.fill(0);
    this.#options.receiveKey.fill(0);
    this.#options.sendSalt.fill(0);
    this.#options.receiveSalt.fill(0);
  }

  #setNonce(salt: Buffer, frame: Buffer): void {
    salt.copy(this.#nonce);
    for (let at = 0; at < 8; at += 1) {
      this.#nonce[NONCE_BYTES - 8 + at] =
        (salt[NONCE_BYTES - 8 + at] ?? 0) ^ (frame[COUNTER_OFFSET + at] ?? 0);
    }
  }
}

function assertSizes(options: LinkOptions): void {
  const { sessionId, sendKey, receiveKey, sendSalt, receiveSalt } = options;
  if (sessionId.length !== 8) throw new RangeError('a link session id has 8 bytes');
  if (sendKey.length !== 32 || receiveKey.length !== 32) throw new RangeError('link keys have 32 bytes');
  if (sendSalt.length !== 12 || receiveSalt.length !== 12) throw new RangeError('link salts have 12 bytes');
}
