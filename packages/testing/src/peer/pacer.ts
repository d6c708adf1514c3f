/** Timers of Node.js count milliseconds; two are precise enough for packets that are 20 ms apart. */
const SLOT_MS = 2;
/** Longest interval that fits: 2 s. */
const SLOTS = 1_000;
/** After a stall each sender catches up by at most so many packets at once; a stalled encoder skips the rest too. */
const CATCH_UP_MAX = 5;

/** Sends one packet, or does one chore. */
export type PacedWork = (nowMs: number) => void;

/** Something done at an interval. */
export interface Paced {
  stop(): void;
}

interface Entry {
  readonly work: PacedWork;
  readonly intervalMs: number;
  dueMs: number;
  isStopped: boolean;
}

/** One timer wheel for all senders of a process: a timer for each would cost more than the packets. */
export class Pacer {
  readonly #clockMs: () => number;
  readonly #wheel: Entry[][] = Array.from({ length: SLOTS }, () => []);
  #timer: NodeJS.Timeout | null = null;
  #slot = 0;
  #size = 0;

  constructor(clockMs: () => number) {
    this.#clockMs = clockMs;
  }

  /** `phase`: 0 to 1 of an interval until the first time. */
  every(intervalMs: number, phase: number, work: PacedWork): Paced {
    if (!(intervalMs >= SLOT_MS && intervalMs < SLOTS * SLOT_MS))
      throw new RangeError(`no interval: ${intervalMs} ms`);
    const nowMs = this.#clockMs();
    if (this.#timer === null) {
      this.#slot = Math.floor(nowMs / SLOT_MS);
      this.#timer = setInterval(() => this.#turn(), SLOT_MS);
    }
    const entry: Entry = { work, intervalMs, dueMs: nowMs + SLOT_MS + phase * intervalMs, isStopped: false };
    this.#size += 1;
    this.#put(entry);
    return { stop: () => this.#stop(entry) };
  }

  #stop(entry: Entry): void {
    if (entry.isStopped) return;
    entry.isStopped = true;
    this.#size -= 1;
    if (this.#size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    for (const slot of this.#wheel) slot.length = 0;
  }

  #put(entry: Entry): void {
    const slot = Math.max(Math.floor(entry.dueMs / SLOT_MS), this.#slot);
    this.#wheel[slot % SLOTS]?.push(entry);
  }

  #turn(): void {
    const nowMs = this.#clockMs();
    const current = Math.floor(nowMs / SLOT_MS);
    // After a stall of a whole turn every entry is due; one turn finds them all.
    this.#slot = Math.max(this.#slot, current - SLOTS);
    while (this.#slot < current) {
      const index = this.#slot % SLOTS;
      const due = this.#wheel[index] ?? [];
      this.#wheel[index] = [];
      this.#slot += 1;
      for (const entry of due) this.#run(entry);
    }
  }

  #run(entry: Entry): void {
    if (entry.isStopped) return;
    const nowMs = this.#clockMs();
    for (let sent = 0; sent < CATCH_UP_MAX && entry.dueMs <= nowMs && !entry.isStopped; sent++) {
      entry.work(nowMs);
      entry.dueMs += entry.intervalMs;
    }
    if (entry.dueMs <= nowMs) entry.dueMs = nowMs + entry.intervalMs;
    if (!entry.isStopped) this.#put(entry);
  }
}
