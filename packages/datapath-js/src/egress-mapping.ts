import { EGRESS_MAPPINGS_MAX, type FrozenMapping } from '@godwit/datapath';

/**
 * How a publisher's indices become a subscriber's: out = source + offset, with a new offset after each pause, so that
 * the subscriber never sees a hole. Pure; indices are 48-bit SRTP indices.
 */
export class EgressMapping {
  #mappings: FrozenMapping[] = [];
  /** Highest source index mapped; -1: nothing yet. */
  lastSourceIndex = -1;
  /** The next source index above the highest begins a new mapping. */
  isPaused = true;

  /** Out index of the highest source index; -1: nothing yet. */
  get lastOutIndex(): number {
    const newest = this.#mappings[this.#mappings.length - 1];
    return newest === undefined ? -1 : this.lastSourceIndex + newest.indexOffset;
  }

  /** True when `sourceIndex` needs {@link begin} first. */
  isBeginning(sourceIndex: number): boolean {
    return this.isPaused && sourceIndex > this.lastSourceIndex;
  }

  /** From `sourceIndex` on, out indices go on at `outIndex`. */
  begin(sourceIndex: number, outIndex: number): void {
    this.#mappings.push({ fromSourceIndex: sourceIndex, indexOffset: outIndex - sourceIndex });
    if (this.#mappings.length > EGRESS_MAPPINGS_MAX) this.#mappings.shift();
    this.lastSourceIndex = sourceIndex;
    this.isPaused = false;
  }

  /** Out index of a source index, -1 when it belongs to a pause or to a time before the first mapping. */
  toOut(sourceIndex: number): number {
    let next: FrozenMapping | undefined;
    for (let at = this.#mappings.length - 1; at >= 0; at -= 1) {
      const mapping = this.#mappings[at];
      if (mapping === undefined) return -1;
      if (sourceIndex < mapping.fromSourceIndex) {
        next = mapping;
        continue;
      }
      const outIndex = sourceIndex + mapping.indexOffset;
      if (next === undefined) return outIndex;
      return outIndex < next.fromSourceIndex + next.indexOffset ? outIndex : -1;
    }
    return -1;
  }

  /** The inverse, for numbers that a subscriber asks for; -1 when nothing was sent under it. */
  toSource(outIndex: number): number {
    if (outIndex > this.lastOutIndex) return -1;
    let nextFrom = Infinity;
    for (let at = this.#mappings.length - 1; at >= 0; at -= 1) {
      const mapping = this.#mappings[at];
      if (mapping === undefined) return -1;
      if (outIndex >= mapping.fromSourceIndex + mapping.indexOffset) {
        const sourceIndex = outIndex - mapping.indexOffset;
        // Between two owners out indices were skipped: nothing was sent under them.
        return sourceIndex < nextFrom ? sourceIndex : -1;
      }
      nextFrom = mapping.fromSourceIndex;
    }
    return -1;
  }

  /** Notes that `sourceIndex` was sent. */
  advance(sourceIndex: number): void {
    if (sourceIndex > this.lastSourceIndex) this.lastSourceIndex = sourceIndex;
  }

  /** The next out index is `count` above what it would have been. */
  skip(count: number): void {
    const newest = this.#mappings[this.#mappings.length - 1];
    if (newest === undefined || count === 0 || this.isPaused) return;
    const { lastSourceIndex, lastOutIndex } = this;
    this.begin(lastSourceIndex + 1, lastOutIndex + 1 + count);
    this.lastSourceIndex = lastSourceIndex;
  }

  /**
   * The mappings for the next owner. A pause has no form of its own there: it is written as a mapping that begins
   * behind `highestSourceIndex`, the newest packet that was left out.
   */
  freeze(highestSourceIndex: number): { lastSourceIndex: number | null; mappings: FrozenMapping[] } {
    if (this.#mappings.length === 0) return { lastSourceIndex: null, mappings: [] };
    if (!this.isPaused || highestSourceIndex <= this.lastSourceIndex) {
      return { lastSourceIndex: this.lastSourceIndex, mappings: [...this.#mappings] };
    }
    const resumed = {
      fromSourceIndex: highestSourceIndex + 1,
      indexOffset: this.lastOutIndex - highestSourceIndex,
    };
    return {
      lastSourceIndex: highestSourceIndex,
      mappings: [...this.#mappings, resumed].slice(-EGRESS_MAPPINGS_MAX),
    };
  }

  static thaw(lastSourceIndex: number | null, mappings: readonly FrozenMapping[]): EgressMapping {
    const mapping = new EgressMapping();
    if (lastSourceIndex === null || mappings.length === 0) return mapping;
    mapping.#mappings = mappings.slice(-EGRESS_MAPPINGS_MAX);
    mapping.lastSourceIndex = lastSourceIndex;
    mapping.isPaused = false;
    return mapping;
  }
}
