/**
 * Which of the newest `bits` indices have been seen. A ring: the bit of an index is at index modulo `bits`, so an
 * advance clears only what it passes over.
 */
export class IndexWindow {
  /** Newest index set; -1 before the first. */
  highest = -1;
  readonly #bits: number;
  readonly #words: Uint32Array;

  /** @param bits a power of two, at least 32 */
  constructor(bits: number) {
    this.#bits = bits;
    this.#words = new Uint32Array(bits / 32);
  }

  /** True when the index is older than the window reaches. */
  isStale(index: number): boolean {
    return index <= this.highest - this.#bits;
  }

  /** Meaningful only for an index that is not stale. */
  has(index: number): boolean {
    return index <= this.highest && this.#bit(index);
  }

  /** Marks an index that is not stale. */
  add(index: number): void {
    if (index > this.highest) this.#advance(index);
    // Index & mask is exact: ToInt32 keeps the low 32 bits of any integer below 2^53.
    const position = index & (this.#bits - 1);
    const word = position >>> 5;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (position & 31));
  }

  /** Bit i of the result (least significant first) is set when highest - i has been seen. */
  toBuffer(): Buffer {
    const out = Buffer.alloc(this.#bits / 8);
    for (let age = 0; age < this.#bits && age <= this.highest; age += 1) {
      if (this.#bit(this.highest - age)) out[age >>> 3] = (out[age >>> 3] ?? 0) | (1 << (age & 7));
    }
    return out;
  }

  /** The inverse of {@link toBuffer}. Throws RangeError when the buffer has not `bits` bits. */
  static from(bits: number, highest: number, seen: Buffer): IndexWindow {
    if (seen.length !== bits / 8) throw new RangeError(`a window of ${bits} bits needs ${bits / 8} bytes`);
    const window = new IndexWindow(bits);
    const oldest = Math.max(0, highest - bits + 1);
    for (let index = oldest; index <= highest; index += 1) {
      const age = highest - index;
      if (((seen[age >>> 3] ?? 0) >>> (age & 7)) & 1) window.add(index);
    }
    window.#advance(highest);
    return window;
  }

  #bit(index: number): boolean {
    const position = index & (this.#bits - 1);
    return (((this.#words[position >>> 5] ?? 0) >>> (position & 31)) & 1) === 1;
  }

  #advance(index: number): void {
    if (index - this.highest >= this.#bits) {
      this.#words.fill(0);
    } else {
      for (let passed = this.highest + 1; passed <= index; passed += 1) this.#clear(passed);
    }
    this.highest = index;
  }

  #clear(index: number): void {
    const position = index & (this.#bits - 1);
    const word = position >>> 5;
    this.#words[word] = (this.#words[word] ?? 0) & ~(1 << (position & 31));
  }
}
