import type { BoundSocket, Datapath, Exception } from '@godwit/datapath';
import type { NodeCommand, NodeEvent, NodeRegistration } from '@godwit/protocol';
import { Router } from '@godwit/sfu';
import { STATE_SCHEMAS } from '@godwit/transport';
import { CommandHandlers } from './commands/command-handlers.js';
import type { Handshakes } from './commands/handshakes.js';
import { ExceptionDispatcher } from './exception-dispatcher.js';
import { MoveTable } from './handover/move-table.js';
import type { NodeIdentity } from './link/identity.js';
import { Links } from './link/links.js';
import type { NodeContext } from './node-context.js';
import { StreamTable } from './stream/stream-table.js';
import type { AddressPool } from './transport/address-pool.js';
import { TransportTable } from './transport/transport-table.js';
import { NODE_VERSION } from './version.js';

/** The way to control, as a node's parts see it. */
export interface ControlChannel {
  /** Given at registration; null before. */
  readonly nodeId: string | null;
  /** When control last said anything, by the node's clock. */
  readonly heardAtMs: number;
  send(event: NodeEvent): void;
}

export interface NodeCoreOptions {
  readonly datapath: Datapath;
  readonly pool: AddressPool;
  readonly linkSocket: BoundSocket;
  readonly identity: NodeIdentity;
  readonly handshakes: Handshakes;
  readonly control: ControlChannel;
  readonly log: NodeContext['log'];
  /** Monotonic, the datapath's clock. */
  readonly clockMs: () => number;
  /** A stopping node takes nothing new. */
  readonly isStopping: () => boolean;
}

/** What a node says of itself when it registers, apart from its address of operations. */
export type NodeDescription = Pick<
  NodeRegistration,
  'version' | 'stateSchemas' | 'linkAddress' | 'addresses' | 'transports'
>;

/**
 * The parts of one node, wired, without the process around them: it is told of exceptions, commands and the time, and
 * acts by the datapath and the channel to control.
 */
export class NodeCore {
  readonly context: NodeContext;
  readonly moves: MoveTable;
  readonly #options: NodeCoreOptions;
  readonly #dispatcher: ExceptionDispatcher;
  readonly #commands: CommandHandlers;

  constructor(options: NodeCoreOptions) {
    const { datapath, pool, control } = options;
    this.#options = options;
    const links = new Links(datapath, options.identity, options.linkSocket);
    const router = new Router(datapath);
    this.context = {
      datapath,
      router,
      transports: new TransportTable(),
      streams: new StreamTable(datapath, router, (nodeId) => links.has(nodeId)),
      links,
      pool,
      log: options.log,
      clockMs: options.clockMs,
      nodeId: () => control.nodeId ?? '',
      report: (event) => {
        control.send(event);
      },
    };
    this.moves = new MoveTable(this.context);
    this.#dispatcher = new ExceptionDispatcher(this.context, this.moves);
    this.#commands = new CommandHandlers(this.context, this.moves, options.handshakes, options.isStopping);
  }

  /** Control has given this node its id. */
  registered(nodeId: string): void {
    this.context.streams.setNodeId(nodeId);
  }

  describe(): NodeDescription {
    const { address, port, family } = this.#options.linkSocket;
    return {
      version: NODE_VERSION,
      stateSchemas: [...STATE_SCHEMAS],
      linkAddress: { address, port, family },
      addresses: [...this.#options.pool.addresses],
      transports: this.context.transports.owned(),
    };
  }

  dispatch(batch: readonly Exception[]): void {
    this.#dispatcher.dispatch(batch);
  }

  /** Resolves with the result; rejects with a NodeError. */
  handle(command: NodeCommand): Promise<unknown> {
    return this.#commands.handle(command);
  }

  /** The clockwork of all parts; call every TICK_INTERVAL_MS. */
  tick(nowMs: number): void {
    this.context.links.tick(nowMs);
    this.#dispatcher.tick(nowMs);
    this.moves.tick(nowMs, this.#options.control.heardAtMs);
    this.context.streams.tick(nowMs);
    this.context.router.tick(nowMs);
  }
}
