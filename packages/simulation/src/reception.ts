/** What one client has received of one publication. */
export interface Reception {
  readonly publishSsrc: number;
  /** Counter of the first packet: from here on nothing may be missing. */
  readonly first: number;
  highest: number;
  received: Set<number>;
  doubled: number;
  lastAtMs: number;
}

/** Counts what a client decrypts. */
export class Receptions {
  readonly #bySsrc = new Map<number, Reception>();
  packets = 0;

  get all(): readonly Reception[] {
    return [...this.#bySsrc.values()];
  }

  of(publishSsrc: number): Reception | undefined {
    return this.#bySsrc.get(publishSsrc);
  }

  forget(publishSsrc: number): void {
    this.#bySsrc.delete(publishSsrc);
  }

  note(nowMs: number, publishSsrc: number, counter: number): void {
    this.packets += 1;
    const reception = this.#bySsrc.get(publishSsrc);
    if (reception === undefined) {
      this.#bySsrc.set(publishSsrc, {
        publishSsrc,
        first: counter,
        highest: counter,
        received: new Set([counter]),
        doubled: 0,
        lastAtMs: nowMs,
      });
      return;
    }
    reception.lastAtMs = nowMs;
    reception.highest = Math.max(reception.highest, counter);
    if (reception.received.has(counter)) reception.doubled += 1;
    else reception.received.add(counter);
  }
}

/** Counters up to `last` that have not come; those from before the first one do not count. */
export function missingOf({ first, received }: Reception, last: number): number[] {
  const missing: number[] = [];
  for (let counter = first; counter <= last; counter += 1) if (!received.has(counter)) missing.push(counter);
  return missing;
}
