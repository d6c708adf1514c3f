import { IndexWindow as SeenIndices } from '@godwit/transport';

/** Verdicts of {@link IndexWindow.add}. */
export const INDEX_NEW = 0;
export const INDEX_DUPLICATE = 1;
/** Older than the window reaches: whether it was seen cannot be told. */
export const INDEX_STALE = 2;

/** Which of the newest indices have been seen, with a verdict on each that comes. */
export class IndexWindow extends SeenIndices {
  /** What {@link add} would say. */
  check(index: number): number {
    if (this.isStale(index)) return INDEX_STALE;
    return this.has(index) ? INDEX_DUPLICATE : INDEX_NEW;
  }

  /** Marks the index unless it is a duplicate or stale. */
  override add(index: number): number {
    const verdict = this.check(index);
    if (verdict === INDEX_NEW) super.add(index);
    return verdict;
  }
}
