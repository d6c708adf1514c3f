import type { SrtpKeys } from '@godwit/datapath';
import type { NodeCommand, NodeEvent, PathMethod } from '@godwit/protocol';
import { createPlainTables, openPlainStorage, type PlainTables } from '@godwit/storage/testing';
import { newSessionRecord, type RosterStorage } from '@godwit/storage';
import { NonceAudit } from './audit.js';
import { Channel, type ChannelEnd } from './channel.js';
import { srtpKeysOf } from './identities.js';
import { messageName, moveIdOf } from './link-messages.js';
import type { Numbers } from './negotiation.js';
import type { SimProcess } from './process.js';
import { SimClient } from './sim-client.js';
import { SimControl } from './sim-control.js';
import { SimNode, type NodeWorld } from './sim-node.js';
import { Violation } from './violation.js';
import type { World } from './world.js';

const SESSION_ID = 'session';
const TICK_MS = 10;
const TICK_QUIET_MS = 1_000;
const PING_MS = 150;
const PING_QUIET_MS = 1_500;
const HEARTBEAT_MS = 1_000;
/** Control misses three in 3 s. */
const HEARTBEAT_QUIET_MS = 2_000;
/** Clocks of two machines never agree. */
const CLOCK_OFFSET_MS_MAX = 1_000_000;
const FIRST_SSRC = 1_000;

/** A step of a move that somebody can see: faults are timed by them. */
export interface Milestone {
  readonly name: string;
  readonly moveId: string;
}

/** The nodes of one move. */
export interface MoveNodes {
  readonly source: SimNode | null;
  readonly target: SimNode | null;
}

/** Control, nodes and clients of one run, and what each of them is told by the others. */
export class Platform {
  readonly world: World;
  readonly audit: NonceAudit;
  readonly tables: PlainTables = createPlainTables();
  readonly nodes: (SimNode | null)[] = [];
  readonly clients: SimClient[] = [];
  control: SimControl | null = null;
  /** Long steps while nothing is under way. */
  isQuiet = false;
  isSending = true;
  /** Moves that were granted. */
  handovers = 0;
  /** Migrations that have not ended. */
  openMigrations = 0;
  onMilestone: (milestone: Milestone) => void = () => undefined;
  /** Something happened by which ownership may have changed. */
  ownershipTouched = false;
  readonly #storage: RosterStorage;
  readonly #keys = new Map<string, SrtpKeys>();
  readonly #channels = new Set<{
    readonly channel: Channel;
    readonly sides: readonly [SimProcess, SimProcess];
  }>();
  readonly #moves = new Map<string, MoveNodes>();
  #ssrc = FIRST_SSRC;
  #ids = 0;
  readonly #numbers: Numbers = {
    nextSsrc: () => this.#ssrc++,
    nextId: () => (++this.#ids).toString(16).padStart(16, '0'),
  };

  constructor(world: World) {
    this.world = world;
    this.audit = new NonceAudit(world);
    this.#storage = this.#counted(openPlainStorage(this.tables));
    world.network.tap = (_from, to, bytes) => {
      if (to !== null && this.clients.some(({ process }) => process === to)) this.audit.onWire(bytes);
    };
  }

  get sessionId(): string {
    return SESSION_ID;
  }

  /** Nodes that live, whether they are stopped or not. */
  get liveNodes(): SimNode[] {
    return this.nodes.filter((node): node is SimNode => node?.process.isAlive === true);
  }

  nodeById(nodeId: string): SimNode | null {
    return this.liveNodes.find((node) => node.nodeId === nodeId) ?? null;
  }

  nodesOf(moveId: string): MoveNodes {
    return this.#moves.get(moveId) ?? { source: null, target: null };
  }

  async createSession(): Promise<void> {
    const { nowMs } = this.world;
    const session = { sessionId: SESSION_ID, apiKey: 'simulation', createdAtMs: nowMs };
    await this.#storage.sessions.create(newSessionRecord(session));
  }

  // ---- processes

  startControl(): void {
    const { world } = this;
    const process = world.addProcess('control', world.random.between(0, CLOCK_OFFSET_MS_MAX));
    world.afterIn(process, 0, () => {
      world.settles();
      const options = {
        world,
        storage: this.#storage,
        numbers: this.#numbers,
        sessionId: SESSION_ID,
        pingIntervalMs: () => (this.isQuiet ? PING_QUIET_MS : PING_MS),
        onError: this.#onError,
      };
      this.#started(
        SimControl.boot(options, process).then((control) => {
          this.control = control;
        }),
      );
    });
  }

  startNode(slot: number): void {
    const { world } = this;
    const process = world.addProcess(`n${slot + 1}`, world.random.between(0, CLOCK_OFFSET_MS_MAX));
    world.afterIn(process, 0, () => {
      world.settles();
      this.#started(
        SimNode.boot(this.#nodeWorld(), process, slot).then((node) => {
          this.nodes[slot] = node;
          this.#beat(node);
          this.#tick(node);
        }),
      );
    });
  }

  addClient(publishes: boolean, pathMethod: PathMethod): SimClient {
    const { world } = this;
    const process = world.addProcess(`c${this.clients.length + 1}`, 0);
    const client = new SimClient(
      {
        world,
        dialControl: (from) => this.#dial(from, (control, end) => control.acceptClient(end)),
        newKeys: () => this.#newKeys(),
        newSsrc: () => this.#numbers.nextSsrc(),
        isQuiet: () => this.isQuiet,
        isSending: () => this.isSending,
        onTold: (told, event) => {
          if (!('moveId' in event) || event.moveId === undefined) return;
          world.trace.line(told.process.name, `told ${event.event} ${world.trace.nameOf('m', event.moveId)}`);
          this.#milestone(event.event, event.moveId);
        },
      },
      process,
      { publishes, pathMethod },
    );
    this.clients.push(client);
    world.afterIn(process, 0, () => {
      world.settles();
      this.#started(client.start());
    });
    return client;
  }

  /** A process ends without a word: its sockets break, its timers never fire. */
  kill(process: SimProcess): void {
    process.kill();
    this.world.network.closeAllOf(process);
    for (const entry of this.#channels) {
      const side = entry.sides.indexOf(process);
      if (side < 0) continue;
      entry.channel.died(side === 0 ? 0 : 1);
      this.#channels.delete(entry);
    }
    if (this.control?.process === process) this.control = null;
    const slot = this.nodes.findIndex((node) => node?.process === process);
    if (slot >= 0) this.nodes[slot] = null;
  }

  // ---- inside

  #nodeWorld(): NodeWorld {
    const { world } = this;
    const { trace } = world;
    return {
      world,
      dialControl: (from) => this.#dial(from, (control, end) => control.acceptNode(end)),
      keysOf: (fingerprint) => copyOf(this.#keys.get(fingerprint)),
      onLinkMessage: (node, bytes) => {
        const moveId = moveIdOf(bytes);
        if (moveId === null) return;
        this.ownershipTouched = true;
        const name = messageName(bytes);
        trace.line(node.process.name, `sends ${name} ${trace.nameOf('m', moveId)}`);
        this.#milestone(name, moveId);
      },
      onCommand: (node, command) => {
        this.#noteCommand(node, command);
      },
      onEvent: (node, event) => {
        this.#noteEvent(node, event);
      },
      onError: this.#onError,
    };
  }

  #noteCommand(node: SimNode, command: NodeCommand): void {
    this.ownershipTouched = true;
    const { trace } = this.world;
    if (!('transportId' in command)) return;
    const transport = trace.nameOf('t', command.transportId);
    if (!('moveId' in command)) {
      trace.line(node.process.name, `is told ${command.type} ${transport}`);
      return;
    }
    if (command.type === 'prepareMove') {
      this.#moves.set(command.moveId, { source: this.nodeById(command.sourceNodeId), target: node });
    }
    trace.line(
      node.process.name,
      `is told ${command.type} ${trace.nameOf('m', command.moveId)} ${transport}`,
    );
    this.#milestone(command.type, command.moveId);
  }

  #noteEvent(node: SimNode, event: NodeEvent): void {
    if (event.event === 'heartbeat' || event.event === 'stopping') return;
    this.ownershipTouched = true;
    const { trace } = this.world;
    const transport = trace.nameOf('t', event.transportId);
    const move = 'moveId' in event ? ` ${trace.nameOf('m', event.moveId)}` : '';
    const end =
      event.event === 'moveEnded'
        ? ` ${event.outcome} ${event.failure ?? ''} owner ${event.ownerNodeId} epoch ${event.epoch ?? '?'}`
        : '';
    trace.line(node.process.name, `reports ${event.event}${move} ${transport}${end}`);
    if ('moveId' in event) this.#milestone(event.event, event.moveId);
  }

  #milestone(name: string, moveId: string): void {
    this.onMilestone({ name, moveId });
  }

  #tick(node: SimNode): void {
    const { process, core, link } = node;
    core.tick(process.clockMs());
    link.tick(process.clockMs());
    this.world.afterIn(process, this.isQuiet ? TICK_QUIET_MS : TICK_MS, () => {
      this.#tick(node);
    });
  }

  #beat(node: SimNode): void {
    const transports = node.core.context.transports.owned().length;
    node.link.send({ event: 'heartbeat', transports, load: 0, stopping: false });
    this.world.afterIn(node.process, this.isQuiet ? HEARTBEAT_QUIET_MS : HEARTBEAT_MS, () => {
      this.#beat(node);
    });
  }

  #dial(from: SimProcess, accept: (control: SimControl, end: ChannelEnd) => void): ChannelEnd | null {
    const { control } = this;
    if (control?.isReady !== true) return null;
    const channel = new Channel(this.world, from, control.process);
    const entry = { channel, sides: [from, control.process] as const };
    this.#channels.add(entry);
    control.process.run(() => {
      accept(control, channel.ends[1]);
    });
    return channel.ends[0];
  }

  #newKeys(): { fingerprint: string; keys: SrtpKeys } {
    const keys = srtpKeysOf(this.world.random);
    const number = this.#keys.size + 1;
    const bytes = Buffer.alloc(32);
    bytes.writeUInt32BE(number, 28);
    const fingerprint = (bytes.toString('hex').match(/../g) ?? []).join(':').toUpperCase();
    this.#keys.set(fingerprint, keys);
    return { fingerprint, keys };
  }

  #counted(storage: RosterStorage): RosterStorage {
    const { transports, migrations } = storage;
    const counted = async <T>(answer: Promise<T>, change: (given: T) => void): Promise<T> => {
      const given = await answer;
      change(given);
      return given;
    };
    return {
      ...storage,
      transports: {
        ...transports,
        beginMove: (...args) =>
          counted(transports.beginMove(...args), (intent) => {
            if (intent !== null) this.handovers += 1;
          }),
      },
      migrations: {
        ...migrations,
        create: (migration) =>
          counted(migrations.create(migration), (isFirst) => {
            if (isFirst) this.openMigrations += 1;
          }),
        end: (...args) =>
          counted(migrations.end(...args), (hasEnded) => {
            if (hasEnded) this.openMigrations -= 1;
          }),
        endUnfinished: (...args) =>
          counted(migrations.endUnfinished(...args), (count) => {
            this.openMigrations -= count;
          }),
      },
    };
  }

  #started(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.world.fail(error);
    });
  }

  readonly #onError = (who: string, message: string, details: unknown): void => {
    const text = JSON.stringify(details, (_key, value: unknown) =>
      value instanceof Error ? value.stack : value,
    );
    this.world.trace.line(who, `ERROR ${message} ${text}`);
    this.world.fail(new Violation('no-internal-error', `${who}: ${message} ${text}`));
  };
}

function copyOf(keys: SrtpKeys | undefined): SrtpKeys {
  if (keys === undefined) throw new Error('a transport of nobody');
  const { profile, localKey, localSalt, remoteKey, remoteSalt } = keys;
  return {
    profile,
    localKey: Buffer.from(localKey),
    localSalt: Buffer.from(localSalt),
    remoteKey: Buffer.from(remoteKey),
    remoteSalt: Buffer.from(remoteSalt),
  };
}
