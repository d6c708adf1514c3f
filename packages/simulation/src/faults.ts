import { GOOD_CONDITIONS } from './network.js';
import type { Milestone, Platform } from './platform.js';
import type { SimProcess } from './process.js';
import type { StepInvariants } from './invariants.js';

const SINGLE_FAULTS = [
  'node-links-cut',
  'control-cut',
  'client-cut',
  'nodes-freeze',
  'control-freezes',
  'nodes-crash',
  'control-crashes',
  'clocks-jump',
] as const;
type SingleFault = (typeof SINGLE_FAULTS)[number];

/** What goes wrong in a run. A seed draws by this order: another one would change every run. */
export const FAULT_KINDS = ['none', 'rough-network', ...SINGLE_FAULTS, 'everything'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Steps of a move at which faults are let loose: each is a moment at which two processes may disagree. */
const MILESTONES: readonly string[] = [
  'prepareMove',
  'startMove',
  'moveCandidate',
  'restartOffer',
  'pathNominated',
  'moveProven',
  'pathProven',
  'transfer',
  'transfer',
  'accepted',
  'accepted',
  'release',
  'released',
  'abort',
  'forgotten',
  'moveEnded',
  'returnPath',
  'cancelMove',
  'releaseWanted',
  'releaseMove',
  'tellMove',
];

/** Share of the milestones, once armed, that pass before the fault comes. */
const SKIP_CHANCE = 0.4;
const FAULT_PAUSE_MS_MAX = 600;
/** One way, between a client and a node: a continent away at most. */
const CLIENT_DELAY_MS_MAX = 40;
/** Most faults come within a round trip of their milestone. */
const AFTER_MILESTONE_MS_MAX = 6;

/** Lets faults loose on a platform, timed by the steps of its moves. */
export class Faults {
  readonly #platform: Platform;
  readonly #kind: FaultKind;
  readonly #invariants: StepInvariants;
  #armed: string | null = null;
  #active = 0;
  #isOver = false;

  constructor(platform: Platform, kind: FaultKind, invariants: StepInvariants) {
    this.#platform = platform;
    this.#kind = kind;
    this.#invariants = invariants;
  }

  start(): void {
    const { world } = this.#platform;
    const { random, network } = world;
    world.turnLagChance = random.chance(0.5) ? random.between(0, 0.3) : 0;
    // Delays differ from run to run; without faults too, and packets may overtake each other.
    const gentle = { ...GOOD_CONDITIONS, delayMs: random.between(0.1, 8), jitterMs: random.between(0, 6) };
    const isRough = this.#kind === 'rough-network' || (this.#kind === 'everything' && random.chance(0.5));
    const rough = {
      loss: random.pick([0.005, 0.02, 0.1, 0.25]),
      duplicate: random.pick([0, 0.02, 0.1]),
      jitterMs: random.between(0, 40),
    };
    network.setAll(isRough ? { ...gentle, ...rough } : gentle);
    this.#scatterClients();
    if (this.#kind === 'none') return;
    if (this.#kind === 'rough-network') return;
    this.#platform.onMilestone = (milestone) => {
      this.#passed(milestone);
    };
    this.#armSoon();
  }

  /** Clients are nearer to one node than to another: what they sent the old way may come after what they send the new. */
  #scatterClients(): void {
    const { world, clients, liveNodes } = this.#platform;
    const { random, network } = world;
    for (const client of clients) {
      for (const node of liveNodes) {
        const delayMs = random.between(0.1, CLIENT_DELAY_MS_MAX);
        network.conditions(client.process, node.process).delayMs = delayMs;
        network.conditions(node.process, client.process).delayMs = delayMs;
      }
    }
  }

  /** Everything that was broken is mended. */
  end(): void {
    this.#isOver = true;
    this.#platform.onMilestone = () => undefined;
    const { world } = this.#platform;
    world.network.setAll(GOOD_CONDITIONS);
    world.trace.line('faults', 'have ended');
  }

  #armSoon(): void {
    const { world } = this.#platform;
    world.after(world.random.between(0, FAULT_PAUSE_MS_MAX), () => {
      if (!this.#isOver) this.#armed = world.random.pick(MILESTONES);
    });
  }

  #passed({ name, moveId }: Milestone): void {
    if (name !== this.#armed || this.#isOver) return;
    const { world } = this.#platform;
    const { random } = world;
    if (random.chance(SKIP_CHANCE)) return;
    this.#armed = null;
    const isAtOnce = random.chance(0.3);
    world.after(isAtOnce ? 0 : random.between(0, AFTER_MILESTONE_MS_MAX), () => {
      if (!this.#isOver) this.#strike(moveId);
      this.#armSoon();
    });
    // A milestone that this run never reaches must not keep it without faults.
    world.after(FAULT_PAUSE_MS_MAX * 4, () => {
      if (this.#armed !== null && !this.#isOver) this.#armed = random.pick(MILESTONES);
    });
  }

  #strike(moveId: string): void {
    const { world } = this.#platform;
    const kind: SingleFault =
      this.#kind === 'everything' ? world.random.pick(SINGLE_FAULTS) : (this.#kind as SingleFault);
    const { source, target } = this.#platform.nodesOf(moveId);
    const nodes = [source, target].flatMap((node) => (node?.process.isAlive === true ? [node.process] : []));
    if (nodes.length === 0) return;
    this.#apply(kind, nodes);
  }

  #apply(kind: SingleFault, nodes: readonly SimProcess[]): void {
    const platform = this.#platform;
    const { world, control, clients } = platform;
    const { random } = world;
    const victim = random.pick(nodes);
    switch (kind) {
      case 'node-links-cut': {
        const [a, b] = nodes;
        if (a !== undefined && b !== undefined) this.#cut(a, b, this.#durationMs());
        return;
      }
      case 'control-cut':
        if (control !== null) this.#cut(victim, control.process, this.#durationMs());
        return;
      case 'client-cut':
        this.#cut(random.pick(clients).process, victim, random.between(20, 3_000));
        return;
      case 'nodes-freeze':
        this.#freeze(victim, this.#durationMs());
        return;
      case 'control-freezes':
        if (control !== null) this.#freeze(control.process, this.#durationMs());
        return;
      case 'nodes-crash':
        this.#crashNode(victim);
        return;
      case 'control-crashes':
        this.#crashControl();
        return;
      case 'clocks-jump':
        victim.clockOffsetMs += this.#durationMs();
        world.trace.line('faults', `clock of ${victim.name} jumps`);
    }
  }

  /** Short ones are repaired by repetition, long ones make somebody give up. */
  #durationMs(): number {
    const { random } = this.#platform.world;
    return random.chance(0.5)
      ? random.between(1, 120)
      : random.chance(0.6)
        ? random.between(120, 1_500)
        : random.between(1_500, 9_000);
  }

  #cut(a: SimProcess, b: SimProcess, durationMs: number): void {
    const { world } = this.#platform;
    const { network, random } = world;
    const way = random.pick(['both', 'there', 'back'] as const);
    const set = (isCut: boolean): void => {
      if (way !== 'back') network.conditions(a, b).isCut = isCut;
      if (way !== 'there') network.conditions(b, a).isCut = isCut;
    };
    world.trace.line('faults', `cut ${a.name} ${b.name} ${way} for ${durationMs.toFixed(0)} ms`);
    set(true);
    this.#lasts(durationMs, () => {
      set(false);
    });
  }

  #freeze(process: SimProcess, durationMs: number): void {
    if (process.isFrozen) return;
    this.#platform.world.trace.line('faults', `freeze ${process.name} for ${durationMs.toFixed(0)} ms`);
    process.freeze();
    this.#lasts(durationMs, () => {
      process.thaw();
    });
  }

  #crashNode(process: SimProcess): void {
    const slot = this.#platform.nodes.findIndex((node) => node?.process === process);
    if (slot < 0) return;
    const { world } = this.#platform;
    world.trace.line('faults', `crash ${process.name}`);
    this.#platform.kill(process);
    this.#lasts(world.random.between(50, 4_000), () => {
      this.#platform.startNode(slot);
    });
  }

  #crashControl(): void {
    const { world, control } = this.#platform;
    if (control === null) return;
    world.trace.line('faults', 'crash control');
    this.#platform.kill(control.process);
    this.#lasts(world.random.between(50, 3_000), () => {
      this.#platform.startControl();
    });
  }

  /** Counts as a fault until `mend`, which happens even when the faults are over. */
  #lasts(durationMs: number, mend: () => void): void {
    const { world } = this.#platform;
    this.#active += 1;
    this.#invariants.calmSinceMs = Number.POSITIVE_INFINITY;
    world.after(durationMs, () => {
      this.#active -= 1;
      world.trace.line('faults', 'one ends');
      mend();
      if (this.#active === 0) this.#invariants.calmSinceMs = world.nowMs;
    });
  }
}
