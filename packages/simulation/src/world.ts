import { promisesSettled, realTurn, takeTimers, type TimerHost } from './global-timers.js';
import { Network } from './network.js';
import { SimProcess } from './process.js';
import { Random } from './random.js';
import { Schedule } from './schedule.js';
import { Trace } from './trace.js';
import { Violation } from './violation.js';

/** Most that what a process puts off to the end of a turn waits: packets and their exceptions then cross. */
const TURN_LAG_MS_MAX = 2;
/** Events at one moment beyond which the run is stuck in a circle. */
const EVENTS_MAX = 20_000_000;

/** Virtual time, chance, processes and their network: everything that happens in one run, in one order. */
export class World implements TimerHost {
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  /** Share of turns whose put-off work waits a little. */
  turnLagChance = 0;
  #nowMs = 0;
  #events = 0;
  #processes = 0;
  readonly #schedule = new Schedule();
  readonly #afterStep: (() => void)[] = [];
  #current: SimProcess | null = null;
  #deferred: (() => void)[] = [];
  #needsSettling = false;
  #failure: unknown = null;

  constructor(seed: number, print: ((line: string) => void) | null) {
    this.random = new Random(seed);
    this.trace = new Trace(() => this.#nowMs, print);
    this.network = new Network(this);
  }

  get nowMs(): number {
    return this.#nowMs;
  }
  get events(): number {
    return this.#events;
  }
  /** The process whose code runs now. */
  get current(): SimProcess | null {
    return this.#current;
  }

  addProcess(name: string, clockOffsetMs: number): SimProcess {
    return new SimProcess(this, name, this.#processes++, clockOffsetMs);
  }

  /** Called after every event, when all promises have gone as far as they can. */
  afterEachStep(check: () => void): void {
    this.#afterStep.push(check);
  }

  /** Something outside of the processes happens: chance, an operator. */
  after(delayMs: number, task: () => void): void {
    this.#schedule.add(this.#nowMs + delayMs, task);
  }

  /** Something happens to a process. */
  afterIn(process: SimProcess, delayMs: number, task: () => void): void {
    this.#schedule.add(this.#nowMs + delayMs, () => {
      process.run(task);
    });
  }

  soon(process: SimProcess, task: () => void): void {
    this.afterIn(process, 0, task);
  }

  /** Called by the process itself. */
  within(process: SimProcess, task: () => void): void {
    this.#current = process;
    task();
  }

  /** The present event has started promises: let them go on before the next. */
  settles(): void {
    this.#needsSettling = true;
  }

  startTimer(delayMs: number, task: () => void, isCancelled: () => boolean): void {
    const process = this.#owner();
    this.#schedule.add(this.#nowMs + Math.max(0, delayMs), () => {
      if (isCancelled()) return;
      process.run(() => {
        if (isCancelled()) return;
        this.settles();
        task();
      });
    });
  }

  defer(task: () => void): void {
    if (this.turnLagChance > 0 && this.random.chance(this.turnLagChance)) {
      this.afterIn(this.#owner(), this.random.between(0, TURN_LAG_MS_MAX), task);
    } else this.#deferred.push(task);
  }

  /** A failure outside of every event: a promise that nobody waited for was rejected. */
  fail(reason: unknown): void {
    this.#failure ??= reason;
  }

  /** Lets things happen until `isOver`, or `untilMs` of virtual time. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    const giveBack = takeTimers(this);
    try {
      while (!isOver() && this.#schedule.nextAtMs <= untilMs) {
        const event = this.#schedule.take();
        if (event === null) break;
        this.#nowMs = event.atMs;
        await this.#step(event.run);
      }
      if (!isOver()) this.#nowMs = Math.max(this.#nowMs, untilMs);
      await realTurn();
      if (this.#failure !== null) throw this.#failure;
    } finally {
      giveBack();
    }
  }

  async #step(run: () => void): Promise<void> {
    this.#events += 1;
    if (this.#events > EVENTS_MAX) throw new Violation('no-internal-error', 'the run does not end');
    run();
    while (this.#needsSettling || this.#deferred.length > 0) {
      for (const task of this.#deferred.splice(0)) task();
      if (!this.#needsSettling) continue;
      this.#needsSettling = false;
      await promisesSettled();
    }
    this.#current = null;
    if (this.#failure !== null) throw this.#failure;
    for (const check of this.#afterStep) check();
  }

  #owner(): SimProcess {
    if (this.#current === null) throw new Error('a timer was started outside of every process');
    return this.#current;
  }
}
