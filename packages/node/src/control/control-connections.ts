import type { ControlReplica, NodeCommand, NodeEvent, NodeWelcome } from '@godwit/protocol';
import type { ControlChannel } from '../node-core.js';
import { ControlConnection, type ControlConnectionOptions } from './control-connection.js';

export interface ControlConnectionsOptions extends Omit<
  ControlConnectionOptions,
  'onRegistered' | 'onLost' | 'nodeId'
> {
  readonly onRegistered: (nodeId: string) => void;
}

interface Line {
  readonly connection: ControlConnection;
  /** Who is dialled, and who has answered: null before. */
  readonly dialled: ControlReplica | null;
  replicaId: string | null;
  /** The controls that are, as this one says. Null while its socket is away. */
  replicas: readonly ControlReplica[] | null;
}

/**
 * The node's sockets to all controls: each keeps sessions of its own. The address of the settings leads to one of them, which
 * names the others; each is dialled at its own address for as long as any of them names it. What happens is told to all: each
 * minds its own sessions.
 */
export class ControlConnections implements ControlChannel {
  readonly #options: ControlConnectionsOptions;
  readonly #seed: Line;
  /** By the id of who is dialled. */
  readonly #direct = new Map<string, Line>();
  #nodeId: string | null = null;
  #isClosed = false;

  constructor(options: ControlConnectionsOptions) {
    this.#options = options;
    this.#seed = this.#line(null);
  }

  get nodeId(): string | null {
    return this.#nodeId;
  }
  /** At least one control has taken this node in. */
  get connected(): boolean {
    return this.#registered().length > 0;
  }
  get heardAtMs(): number {
    return Math.max(...this.#lines().map(({ connection }) => connection.heardAtMs));
  }

  open(): void {
    this.#seed.connection.open();
  }

  send(event: NodeEvent): void {
    for (const { connection } of this.#lines()) connection.send(event);
  }

  tick(nowMs: number): void {
    for (const { connection } of this.#lines()) connection.tick(nowMs);
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#lines()) connection.close();
  }

  #lines(): Line[] {
    return [this.#seed, ...this.#direct.values()];
  }

  #registered(): Line[] {
    return this.#lines().filter(({ replicas }) => replicas !== null);
  }

  #line(dialled: ControlReplica | null): Line {
    const connection = new ControlConnection({
      ...this.#options,
      ...(dialled === null ? {} : { controlUrl: dialled.url }),
      nodeId: () => this.#nodeId,
      onRegistered: (welcome) => this.#registeredBy(line, welcome),
      onLost: () => this.#lost(line),
      onCommand: (command) => this.#command(line, command),
      onRefused: (reason) => {
        if (dialled === null) this.#options.onRefused(reason);
        else this.#options.log.error({ reason, url: dialled.url }, 'one of the controls refuses this node');
      },
    });
    const line: Line = { connection, dialled, replicaId: null, replicas: null };
    return line;
  }

  #registeredBy(line: Line, { nodeId, replicaId, replicas }: NodeWelcome): void {
    this.#nodeId = nodeId;
    line.replicaId = replicaId;
    line.replicas = replicas;
    this.#options.onRegistered(nodeId);
    this.#dialOthers();
  }

  #command(line: Line, command: NodeCommand): Promise<unknown> {
    if (command.type === 'setReplicas') {
      line.replicas = command.replicas;
      this.#dialOthers();
    }
    return this.#options.onCommand(command);
  }

  #lost(line: Line): boolean {
    line.replicaId = null;
    line.replicas = null;
    if (this.#isClosed) return false;
    if (this.connected) this.#dialOthers();
    // The address of the settings may lead to anybody: while others are here, each is dialled at its own.
    if (line === this.#seed) return !this.connected;
    if (!this.connected) this.#seed.connection.open();
    return line.dialled !== null && this.#direct.get(line.dialled.replicaId) === line;
  }

  /** Dials who is named and not here, and gives up who is neither. */
  #dialOthers(): void {
    const named = new Map<string, ControlReplica>();
    for (const { replicas } of this.#registered())
      for (const replica of replicas ?? []) named.set(replica.replicaId, replica);
    const here = new Set(this.#registered().map(({ replicaId }) => replicaId));
    for (const [dialledId, line] of this.#direct) {
      if (line.replicas !== null || (named.has(dialledId) && !here.has(dialledId))) continue;
      this.#direct.delete(dialledId);
      line.connection.close();
    }
    for (const [replicaId, replica] of named) {
      if (here.has(replicaId) || this.#direct.has(replicaId)) continue;
      const line = this.#line(replica);
      this.#direct.set(replicaId, line);
      line.connection.open();
    }
  }
}
