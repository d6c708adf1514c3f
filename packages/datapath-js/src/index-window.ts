/** Verdicts of {@link IndexWindow.add}. */
export const INDEX_NEW = 0;
export const INDEX_DUPLICATE = 1;
/** Older than the window reaches: whether it was seen cannot be told. */
export const INDEX_STALE = 2;

/** Which of the newest `bits` indices have been seen: a ring of bits, the bit of an index at index modulo `bits`. */
export class IndexWindow {
  /** Newest index; -1 before the first. */
  highest = -1;
  readonly #bits: number;
  readonly #words: Uint32Array;

  /** @param bits a power of two, at least 32 */
  constructor(bits: number) {
    this.#bits = bits;
    this.#words = new Uint32Array(bits / 32);
  }

  /** What {@link add} would say. */
  check(index: number): number {
    if (index > this.highest) return INDEX_NEW;
    if (index <= this.highest - this.#bits) return INDEX_STALE;
    const position = index & (this.#bits - 1);
    return (((this.#words[position >>> 5] ?? 0) >>> (position & 31)) & 1) === 1 ? INDEX_DUPLICATE : INDEX_NEW;
  }

  /** Marks the index unless it is a duplicate or stale. */
  add(index: number): number {
    const verdict = this.check(index);
    if (verdict !== INDEX_NEW) return verdict;
    if (index > this.highest) this.#advance(index);
    // ToInt32 keeps the low bits of any integer below 2^53, so the mask is exact for 48-bit indices.
    const position = index & (this.#bits - 1);
    this.#words[position >>> 5] = (this.#words[position >>> 5] ?? 0) | (1 << (position & 31));
    return INDEX_NEW;
  }

  #advance(index: number): void {
    if (index - this.highest >= this.#bits) {
      this.#words.fill(0);
    } else {
      for (let passed = this.highest + 1; passed <= index; passed += 1) {
        const position = passed & (this.#bits - 1);
        this.#words[position >>> 5] = (this.#words[position >>> 5] ?? 0) & ~(1 << (position & 31));
      }
    }
    this.highest = index;
  }
}
