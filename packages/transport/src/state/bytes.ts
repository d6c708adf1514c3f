/** Reads a body front to back. Every method returns null at its end, and nothing throws. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** A copy, so that the source can be zeroed. */
  take(count: number): Buffer | null {
    if (this.#at + count > this.#bytes.length) return null;
    const taken = Buffer.from(this.#bytes.subarray(this.#at, this.#at + count));
    this.#at += count;
    return taken;
  }

  /** LEB128, below 2^53. */
  takeUnsigned(): number | null {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return null;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : null;
    }
    return null;
  }

  takeSigned(): number | null {
    const zigzag = this.takeUnsigned();
    if (zigzag === null) return null;
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }
}

/** LEB128 of a safe integer >= 0. */
export function writeUnsigned(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Zigzag LEB128 of an integer within +-2^51. */
export function writeSigned(value: number): Buffer {
  return writeUnsigned(value >= 0 ? value * 2 : -value * 2 - 1);
}
