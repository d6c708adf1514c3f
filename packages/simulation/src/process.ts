import type { World } from './world.js';

/** One process of the simulated platform: it runs tasks while it lives, and keeps them while it is stopped. */
export class SimProcess {
  readonly name: string;
  /** Small and unique in its world: an index into tables. */
  readonly number: number;
  /** What this process's monotonic clock is ahead of the world's. */
  clockOffsetMs: number;
  #isAlive = true;
  #isFrozen = false;
  #inbox: (() => void)[] = [];
  readonly #world: World;

  constructor(world: World, name: string, number: number, clockOffsetMs: number) {
    this.#world = world;
    this.name = name;
    this.number = number;
    this.clockOffsetMs = clockOffsetMs;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }
  get isFrozen(): boolean {
    return this.#isFrozen;
  }
  get isRunning(): boolean {
    return this.#isAlive && !this.#isFrozen;
  }

  clockMs(): number {
    return this.#world.nowMs + this.clockOffsetMs;
  }

  /** Runs at once; later when the process is stopped; never when it is dead. */
  run(task: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isFrozen) this.#inbox.push(task);
    else this.#world.within(this, task);
  }

  /** Ends at once: nothing that it waits for ever happens to it. */
  kill(): void {
    this.#isAlive = false;
    this.#inbox = [];
  }

  /** As SIGSTOP: clocks go on, what arrives waits. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** As SIGCONT: what has waited is worked off, one thing after the other. */
  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    for (const task of this.#inbox.splice(0)) this.#world.soon(this, task);
  }
}
