import { FAULT_KINDS, Faults, type FaultKind } from './faults.js';
import {
  checkLossless,
  checkNothingLeft,
  checkOwners,
  describe,
  silentPairs,
  unsettled,
} from './final-checks.js';
import { StepInvariants } from './invariants.js';
import { Platform } from './platform.js';
import { Violation } from './violation.js';
import { World } from './world.js';

/** Migrations of one run: setting a world up costs as much as several of them. */
const MIGRATIONS_MIN = 8;
const MIGRATIONS_MAX = 14;
const PAUSE_MS_MAX = 250;
const REHEARSAL_CHANCE = 0.12;
const SET_UP_MS_MAX = 10_000;
/** One migration: control gives up a step after 12 s at the latest, and a move has several. */
const MIGRATION_MS_MAX = 60_000;
/** After the faults: a node that is gone is forgotten after 60 s, and everybody joins anew in less. */
const RECOVERY_MS_MAX = 120_000;
const FLOW_MS = 1_500;
const FLOW_QUIET_MS = 400;
/** Longer than the longest memory of a move (tombstones, 30 s). */
const LINGER_MS = 45_000;
const OWNED_CHECK_MS = 500;

export interface RunOptions {
  readonly seed: number;
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
export async function simulateRun({ seed, print }: RunOptions): Promise<RunResult> {
  const world = new World(seed, print ?? null);
  const run = new Run(world);
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

  constructor(world: World) {
    this.#world = world;
    this.faultKind = world.random.pick(FAULT_KINDS);
    this.platform = new Platform(world);
    this.#invariants = new StepInvariants(this.platform);
    this.#faults = new Faults(this.platform, this.faultKind, this.#invariants);
    world.afterEachStep(() => {
      this.#invariants.check();
    });
    world.trace.line('run', `faults: ${this.faultKind}`);
  }

  outcomes(): Record<string, number> {
    const outcomes: Record<string, number> = {};
    for (const move of this.platform.tables.moves.values()) {
      const name = describe(move);
      outcomes[name] = (outcomes[name] ?? 0) + 1;
    }
    return outcomes;
  }

  async go(): Promise<void> {
    await this.#setUp();
    this.#faults.start();
    this.#watchOwners();
    const migrations = this.#world.random.integer(MIGRATIONS_MIN, MIGRATIONS_MAX);
    for (let count = 0; count < migrations; count += 1) await this.#migrate();
    this.#faults.end();
    await this.#recover();
    await this.#flow();
    if (this.faultKind === 'none') checkLossless(this.platform);
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

  /** One migration of the session, as an operator asks for it; ends with its last move, or with its control. */
  async #migrate(): Promise<void> {
    const { platform } = this;
    const { random } = this.#world;
    await this.#world.run(this.#world.nowMs + random.between(0, PAUSE_MS_MAX));
    const { control } = platform;
    if (control?.isReady !== true) return;
    const rehearsal = random.chance(REHEARSAL_CHANCE);
    const inService = control.context.nodes.list().filter((node) => node.inService);
    const target = inService.length > 0 && random.chance(0.7) ? random.pick(inService).nodeId : null;
    this.#world.after(0, () => {
      this.#world.settles();
      control.process.run(() => {
        this.#startMigration(target, rehearsal);
      });
    });
    const isOver = (): boolean =>
      platform.control !== control ||
      [...platform.tables.migrations.values()].every(({ endedAtMs }) => endedAtMs !== null);
    // The row comes a moment after the request.
    await this.#world.run(this.#world.nowMs + 5);
    await this.#until('the migration ends', isOver, MIGRATION_MS_MAX);
  }

  #startMigration(target: string | null, rehearsal: boolean): void {
    const control = this.platform.control;
    const session = control?.context.roster.liveSession(this.platform.sessionId);
    if (control == null || session == null) return;
    this.#world.settles();
    const text = `migration to ${target ?? 'anywhere'}${rehearsal ? ', rehearsed' : ''}`;
    this.#world.trace.line('operator', text);
    control.core.migrations.start(session, { target, rehearsal }).catch((error: unknown) => {
      this.#world.trace.line('operator', `refused: ${String(error)}`);
    });
  }

  async #recover(): Promise<void> {
    const { platform } = this;
    const isWhole = (): boolean => unsettled(platform) === null;
    try {
      await this.#until('the platform is whole again', isWhole, RECOVERY_MS_MAX);
    } catch {
      throw new Violation('media-flows', `after the faults: ${unsettled(platform) ?? 'nothing'}`);
    }
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
