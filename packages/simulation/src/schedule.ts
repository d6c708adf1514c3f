/** What happens at one moment of virtual time. */
export interface Scheduled {
  readonly atMs: number;
  /** Orders what happens at the same moment: first come, first served. */
  readonly order: number;
  readonly run: () => void;
}

/** Everything that is still to happen: a binary heap by time. */
export class Schedule {
  readonly #heap: Scheduled[] = [];
  #nextOrder = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Time of the next event; infinity when there is none. */
  get nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const added: Scheduled = { atMs, order: this.#nextOrder++, run };
    let at = heap.length;
    heap.push(added);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(added, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = added;
  }

  /** Removes and returns the next event. */
  take(): Scheduled | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  /** Puts `moved` where the root was, and down to its place. */
  #sink(moved: Scheduled): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, moved)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = moved;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
