import { SEND_SLAB_BYTES, SPARE_SLABS_MAX } from './limits.js';

/**
 * Buffers for outgoing packets. libuv may keep a buffer until the socket is writable again, so every packet gets a
 * view of its own, and a full slab is used again only when a turn has passed and no socket has anything queued.
 */
export class SendSlab {
  readonly #isIdle: () => boolean;
  readonly #spare: Buffer[] = [];
  #slab: Buffer = Buffer.allocUnsafeSlow(SEND_SLAB_BYTES);
  #used = 0;

  /** @param isIdle true when no socket has unsent datagrams queued */
  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle;
  }

  /** A fresh view of `length` bytes with undefined contents. */
  take(length: number): Buffer {
    if (this.#used + length > SEND_SLAB_BYTES) this.#next();
    const start = this.#used;
    this.#used = start + length;
    return this.#slab.subarray(start, this.#used);
  }

  #next(): void {
    const full = this.#slab;
    setImmediate(() => {
      if (this.#spare.length < SPARE_SLABS_MAX && this.#isIdle()) this.#spare.push(full);
    });
    this.#slab = this.#spare.pop() ?? Buffer.allocUnsafeSlow(SEND_SLAB_BYTES);
    this.#used = 0;
  }
}
