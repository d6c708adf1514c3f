import { EGRESS_MAPPINGS_MAX, type FrozenMapping } from '@godwit/datapath';

interface Mapping extends FrozenMapping {
  /** Highest source index that it maps; Infinity while it is the newest. */
  lastSourceIndex: number;
}

/**
 * How a publisher's indices become a subscriber's: out = source + offset, with a new offset after each pause, so that
 * the subscriber never sees a hole. Pure; indices are 48-bit SRTP indices.
 */
export class EgressMapping {
  #mappings: Mapping[] = [];
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
    this.#append(sourceIndex, outIndex);
    this.lastSourceIndex = sourceIndex;
    this.isPaused = false;
  }

  /** Out index of a source index, -1 when it belongs to a pause or to a time before the first mapping. */
  toOut(sourceIndex: number): number {
    for (let at = this.#mappings.length - 1; at >= 0; at -= 1) {
      const mapping = this.#mappings[at];
      if (mapping === undefined || sourceIndex < mapping.fromSourceIndex) continue;
      return sourceIndex <= mapping.lastSourceIndex ? sourceIndex + mapping.indexOffset : -1;
    }
    return -1;
  }

  /** The inverse, for numbers that a subscriber asks for; -1 when nothing was sent under it. */
  toSource(outIndex: number): number {
    if (outIndex > this.lastOutIndex) return -1;
    for (let at = this.#mappings.length - 1; at >= 0; at -= 1) {
      const mapping = this.#mappings[at];
      if (mapping === undefined || outIndex < mapping.fromSourceIndex + mapping.indexOffset) continue;
      const sourceIndex = outIndex - mapping.indexOffset;
      // Between two owners out indices were skipped.
      return sourceIndex <= Math.min(mapping.lastSourceIndex, this.lastSourceIndex) ? sourceIndex : -1;
    }
    return -1;
  }

  /** Notes that `sourceIndex` was sent. */
  advance(sourceIndex: number): void {
    if (sourceIndex > this.lastSourceIndex) this.lastSourceIndex = sourceIndex;
  }

  /** The next out index is `count` above what it would have been. A pause ends with a new mapping anyway. */
  skip(count: number): void {
    if (this.#mappings.length === 0 || count === 0 || this.isPaused) return;
    this.#append(this.lastSourceIndex + 1, this.lastOutIndex + 1 + count);
  }

  /**
   * The mappings for the next owner. A pause has no form of its own there: it is written as a mapping that begins
   * behind `highestSourceIndex`, the newest packet that was left out.
   */
  freeze(highestSourceIndex: number): { lastSourceIndex: number | null; mappings: FrozenMapping[] } {
    if (this.#mappings.length === 0) return { lastSourceIndex: null, mappings: [] };
    const mappings = this.#mappings.map(({ fromSourceIndex, indexOffset }) => ({
      fromSourceIndex,
      indexOffset,
    }));
    if (!this.isPaused || highestSourceIndex <= this.lastSourceIndex) {
      return { lastSourceIndex: this.lastSourceIndex, mappings };
    }
    mappings.push({
      fromSourceIndex: highestSourceIndex + 1,
      indexOffset: this.lastOutIndex - highestSourceIndex,
    });
    return { lastSourceIndex: highestSourceIndex, mappings: mappings.slice(-EGRESS_MAPPINGS_MAX) };
  }

  static thaw(lastSourceIndex: number | null, frozen: readonly FrozenMapping[]): EgressMapping {
    const mapping = new EgressMapping();
    if (lastSourceIndex === null || frozen.length === 0) return mapping;
    const kept = frozen.slice(-EGRESS_MAPPINGS_MAX);
    mapping.#mappings = kept.map((one, at) => ({ ...one, lastSourceIndex: lastSourceOf(one, kept[at + 1]) }));
    mapping.lastSourceIndex = lastSourceIndex;
    mapping.isPaused = false;
    return mapping;
  }

  #append(fromSourceIndex: number, outIndex: number): void {
    const newest = this.#mappings[this.#mappings.length - 1];
    // Two owners may follow each other before anything comes to be sent: then the one between has mapped nothing.
    if (newest !== undefined && newest.fromSourceIndex >= fromSourceIndex) this.#mappings.pop();
    else if (newest !== undefined) newest.lastSourceIndex = this.lastSourceIndex;
    this.#mappings.push({
      fromSourceIndex,
      indexOffset: outIndex - fromSourceIndex,
      lastSourceIndex: Infinity,
    });
    if (this.#mappings.length > EGRESS_MAPPINGS_MAX) this.#mappings.shift();
  }
}

/** Out indices go on without a hole from one mapping to the next, so that the next one's start tells the end. */
function lastSourceOf(mapping: FrozenMapping, next: FrozenMapping | undefined): number {
  if (next === undefined) return Infinity;
  const beforeNextOut = next.fromSourceIndex + next.indexOffset - 1 - mapping.indexOffset;
  return Math.min(next.fromSourceIndex - 1, beforeNextOut);
}
