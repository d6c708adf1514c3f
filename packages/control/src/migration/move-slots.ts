import type { ControlContext } from '../context.js';

/** This control's share of a bound that holds for one node: every control of the database commands it. At least one. */
export function shareOf({ membership }: Pick<ControlContext, 'membership'>, ofNode: number): number {
  return Math.max(1, Math.floor(ofNode / Math.max(1, membership.replicas().length)));
}

/** Lets only so many moves of one node be under way at a time. First come, first served, as far as their nodes are free. */
export class MoveSlots {
  readonly #max: () => number;
  readonly #active = new Map<string, number>();
  readonly #waiting: { readonly nodeIds: readonly string[]; readonly go: () => void }[] = [];

  /** `max` is asked each time: other controls that command the same nodes come and go. */
  constructor(max: () => number) {
    this.#max = max;
  }

  /** Moves that wait for a slot. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when each of the nodes has a slot free, and takes it. Call the function it resolves with once, or again. */
  async take(nodeIds: readonly string[]): Promise<() => void> {
    if (!this.#areFree(nodeIds)) {
      await new Promise<void>((go) => this.#waiting.push({ nodeIds, go }));
    } else this.#count(nodeIds, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#count(nodeIds, -1);
      this.#serve();
    };
  }

  #serve(): void {
    for (let at = 0; at < this.#waiting.length;) {
      const next = this.#waiting[at];
      if (next === undefined || !this.#areFree(next.nodeIds)) {
        at += 1;
        continue;
      }
      this.#waiting.splice(at, 1);
      this.#count(next.nodeIds, 1);
      next.go();
    }
  }

  #areFree(nodeIds: readonly string[]): boolean {
    return nodeIds.every((nodeId) => (this.#active.get(nodeId) ?? 0) < this.#max());
  }

  #count(nodeIds: readonly string[], change: 1 | -1): void {
    for (const nodeId of nodeIds) {
      const active = (this.#active.get(nodeId) ?? 0) + change;
      if (active === 0) this.#active.delete(nodeId);
      else this.#active.set(nodeId, active);
    }
  }
}
