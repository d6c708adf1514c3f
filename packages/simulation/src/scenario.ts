import { FAULT_KINDS, Faults, type FaultKind } from './faults.js';
import {
  checkLossless,
  checkNothingLeft,
  checkOwners,
  checkRoughOutcomes,
  silentPairs,
  unsettled,
} from './final-checks.js';
import { StepInvariants } from './invariants.js';
import { Operator } from './operator.js';
import { Platform } from './platform.js';
import { Violation } from './violation.js';
import { World } from './world.js';

/** Rounds of moves in one run: setting a world up costs as much as several of them. */
const ROUNDS_MIN = 24;
const ROUNDS_MAX = 48;
/** Share of the rounds in which the whole session migrates; in the others some of its transports move by themselves. */
const MIGRATION_CHANCE = 0.25;
const PAUSE_MS_MAX = 60;
const REHEARSAL_CHANCE = 0.12;
const SET_UP_MS_MAX = 10_000;
/** One round: control gives up a step after 12 s at the latest, and a move has several. */
const ROUND_MS_MAX = 60_000;
/** After the faults: a node that is gone is forgotten after 60 s, and everybody joins anew in less. */
const RECOVERY_MS_MAX = 120_000;
const FLOW_MS = 700;
const FLOW_QUIET_MS = 300;
/** Longer than the longest memory of a move: a preparation that nobody ends (20 s) and its tombstone (30 s). */
const LINGER_MS = 55_000;
const OWNED_CHECK_MS = 500;

export interface RunOptions {
  readonly seed: number;
  /** What goes wrong, instead of what the seed draws. */
  readonly faults?: FaultKind;
  /** Gets every line of the trace. */
  readonly print?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly faults: FaultKind;
  /** Granted moves. */
  readonly handovers: number;
  /** How moves ended, with how many. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly events: number;
  readonly encryptions: number;
  readonly virtualMs: number;
  readonly hash: string;
  readonly violation: { readonly invariant: string; readonly message: string } | null;
  readonly lastLines: readonly string[];
}

/** Everything that one seed makes happen. Never rejects: what is broken is in the result. */
export async function simulateRun({ seed, faults, print }: RunOptions): Promise<RunResult> {
  const world = new World(seed, print ?? null);
  const run = new Run(world, faults);
  let violation: RunResult['violation'] = null;
  const onRejection = (reason: unknown): void => {
    world.fail(reason);
  };
  process.on('unhandledRejection', onRejection);
  run.platform.audit.start();
  try {
    await run.go();
  } catch (error) {
    violation =
      error instanceof Violation
        ? { invariant: error.invariant, message: error.message }
        : {
            invariant: 'no-internal-error',
            message: error instanceof Error ? (error.stack ?? '') : String(error),
          };
  } finally {
    run.platform.audit.stop();
    process.off('unhandledRejection', onRejection);
  }
  return {
    seed,
    faults: run.faultKind,
    handovers: run.platform.handovers,
    outcomes: run.outcomes(),
    events: world.events,
    encryptions: run.platform.audit.encryptions,
    virtualMs: world.nowMs,
    hash: world.trace.hash,
    violation,
    lastLines: world.trace.lastLines,
  };
}

class Run {
  readonly faultKind: FaultKind;
  readonly platform: Platform;
  readonly #world: World;
  readonly #invariants: StepInvariants;
  readonly #faults: Faults;
  readonly #operator: Operator;

  constructor(world: World, faults: FaultKind | undefined) {
    this.#world = world;
    const drawn = world.random.pick(FAULT_KINDS);
    this.faultKind = faults ?? drawn;
    this.platform = new Platform(world);
    this.#invariants = new StepInvariants(this.platform);
    this.#faults = new Faults(this.platform, this.faultKind, this.#invariants);
    this.#operator = new Operator(this.platform);
    world.afterEachStep(() => {
      this.#invariants.check();
    });
    world.trace.line('run', `faults: ${this.faultKind}`);
  }

  outcomes(): Record<string, number> {
    const outcomes: Record<string, number> = {};
    for (const name of this.#operator.outcomes()) outcomes[name] = (outcomes[name] ?? 0) + 1;
    return outcomes;
  }

  async go(): Promise<void> {
    await this.#setUp();
    this.#faults.start();
    this.#watchOwners();
    const rounds = this.#world.random.integer(ROUNDS_MIN, ROUNDS_MAX);
    for (let count = 0; count < rounds; count += 1) await this.#round();
    this.#faults.end();
    await this.#recover();
    await this.#flow();
    if (this.faultKind === 'none') checkLossless(this.platform, this.#operator);
    if (this.faultKind === 'rough-network') checkRoughOutcomes(this.#operator);
    await this.#linger();
  }

  async #setUp(): Promise<void> {
    const { platform } = this;
    const { random } = this.#world;
    await platform.createSession();
    platform.startControl();
    const nodes = random.integer(2, 3);
    for (let slot = 0; slot < nodes; slot += 1) platform.nodes[slot] = null;
    await this.#until('control starts', () => platform.control?.isReady === true, SET_UP_MS_MAX);
    for (let slot = 0; slot < nodes; slot += 1) platform.startNode(slot);
    const isRegistered = (): boolean => platform.nodes.every((node) => node?.link.isRegistered === true);
    await this.#until('nodes register', isRegistered, SET_UP_MS_MAX);
    const clients = random.integer(2, 4);
    for (let client = 0; client < clients; client += 1) {
      platform.addClient(client === 0 || random.chance(0.4), random.chance(0.75) ? 'candidate' : 'restart');
    }
    await this.#until('clients connect', () => unsettled(platform) === null, SET_UP_MS_MAX);
    const startedAtMs = this.#world.nowMs;
    await this.#until('media flows', () => silentPairs(platform, startedAtMs).length === 0, SET_UP_MS_MAX);
  }

  /** Moves at an operator's wish; it ends with the last of them, or with its control. */
  async #round(): Promise<void> {
    const { platform } = this;
    const { random } = this.#world;
    await this.#world.run(this.#world.nowMs + random.between(0, PAUSE_MS_MAX));
    const { control } = platform;
    if (control?.isReady !== true) return;
    let isAsked = false;
    const isMigration = random.chance(MIGRATION_CHANCE);
    const rehearsal = random.chance(REHEARSAL_CHANCE);
    this.#world.after(0, () => {
      this.#world.settles();
      control.process.run(() => {
        this.#world.settles();
        if (isMigration) this.#operator.migrate(control, rehearsal);
        else this.#operator.moveSome(control, rehearsal);
        isAsked = true;
      });
    });
    const isOver = (): boolean =>
      platform.control !== control || (isAsked && !this.#operator.isBusy(control));
    await this.#until('the moves end', isOver, ROUND_MS_MAX);
  }

  async #recover(): Promise<void> {
    const { platform } = this;
    await this.#world.run(this.#world.nowMs + RECOVERY_MS_MAX, () => unsettled(platform) === null);
    const problem = unsettled(platform);
    if (problem !== null) throw new Violation('media-flows', `after the faults: ${problem}`);
  }

  /** All media flows for a while; then it ends, and what is under way arrives. */
  async #flow(): Promise<void> {
    const { platform } = this;
    const deadlineMs = this.#world.nowMs + RECOVERY_MS_MAX;
    let silent: string[] = [];
    do {
      const sinceMs = this.#world.nowMs + FLOW_MS - FLOW_QUIET_MS;
      await this.#world.run(this.#world.nowMs + FLOW_MS);
      silent = silentPairs(platform, sinceMs);
    } while ((silent.length > 0 || unsettled(platform) !== null) && this.#world.nowMs < deadlineMs);
    const problem = unsettled(platform);
    if (problem !== null) throw new Violation('media-flows', `after the faults: ${problem}`);
    if (silent.length > 0) throw new Violation('media-flows', `after the faults: ${silent.join(', ')}`);
    platform.isSending = false;
    await this.#world.run(this.#world.nowMs + FLOW_QUIET_MS);
  }

  async #linger(): Promise<void> {
    this.platform.isQuiet = true;
    await this.#world.run(this.#world.nowMs + LINGER_MS);
    checkOwners(this.platform);
    checkNothingLeft(this.platform);
  }

  async #until(what: string, isTrue: () => boolean, patienceMs: number): Promise<void> {
    await this.#world.run(this.#world.nowMs + patienceMs, isTrue);
    if (!isTrue()) throw new Violation('moves-end', `never: ${what}`);
  }

  #watchOwners(): void {
    this.#world.after(OWNED_CHECK_MS, () => {
      this.#invariants.checkOwned();
      this.#watchOwners();
    });
  }
}
