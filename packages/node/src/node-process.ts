import { performance } from 'node:perf_hooks';
import { pino, type Logger } from 'pino';
import type { FastifyInstance } from 'fastify';
import type { BoundSocket, Datapath, Exception } from '@godwit/datapath';
import { createDatapath } from '@godwit/datapath-js';
import type { PoolAddress } from '@godwit/protocol';
import { createNodeCertificate, type NodeCertificate } from '@godwit/transport';
import { startClockwork, startHeartbeat } from './clockwork.js';
import { handshakesWith } from './commands/handshakes.js';
import { ControlConnections } from './control/control-connections.js';
import { handoverSelfTest } from './handover/self-test.js';
import { STOP_GRACE_MS, STOP_MAX_MS, TICK_INTERVAL_MS } from './limits.js';
import { holdingsOf } from './holdings.js';
import { NodeIdentity } from './link/identity.js';
import { NodeCore } from './node-core.js';
import { startOperations } from './operations.js';
import type { NodeSettings } from './settings.js';
import { AddressPool } from './transport/address-pool.js';

/** A running media node. */
export interface NodeProcess {
  /** Operations listener. */
  readonly opsUrl: string;
  /** Resolves with the id that control gave, once registered. */
  readonly registered: Promise<string>;
  /** Resolves when control refused this node for good. */
  readonly refused: Promise<string>;
  /** Asks control to move everything away, waits at most STOP_GRACE_MS, then closes. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a media node in this process. Rejects when an address or port cannot be bound. */
export async function startNode(settings: NodeSettings): Promise<NodeProcess> {
  const certificate = await createNodeCertificate();
  const sockets = await openSockets(settings);
  try {
    const node = new MediaNode(settings, sockets, certificate);
    await node.start();
    return node;
  } catch (error) {
    await sockets.datapath.close();
    throw error;
  }
}

interface Sockets {
  readonly datapath: Datapath;
  readonly pool: AddressPool;
  readonly linkSocket: BoundSocket;
  readonly onExceptions: (handler: (batch: readonly Exception[]) => void) => void;
}

const clockMs = (): number => performance.now();

async function openSockets(settings: NodeSettings): Promise<Sockets> {
  let handler: (batch: readonly Exception[]) => void = () => undefined;
  const datapath = createDatapath({
    clockMicros: () => clockMs() * 1_000,
    onExceptions: (batch) => {
      handler(batch);
    },
  });
  try {
    handoverSelfTest(datapath);
    const pool = await AddressPool.open(datapath, settings);
    const binding = linkBinding(settings, pool);
    const linkSocket = await datapath.openSocket({ ...binding, port: settings.linkPort, purpose: 'link' });
    return { datapath, pool, linkSocket, onExceptions: (next) => (handler = next) };
  } catch (error) {
    await datapath.close();
    throw error;
  }
}

/** The process around a node's core: sockets, clock and the connection to control. */
class MediaNode implements NodeProcess {
  opsUrl = '';
  readonly registered: Promise<string>;
  readonly refused: Promise<string>;
  readonly #settings: NodeSettings;
  readonly #sockets: Sockets;
  readonly #core: NodeCore;
  readonly #control: ControlConnections;
  readonly #log: Logger;
  #operations: FastifyInstance | null = null;
  #timers: NodeJS.Timeout[] = [];
  #stopping = false;
  #stopped: Promise<void> | null = null;

  constructor(settings: NodeSettings, sockets: Sockets, certificate: NodeCertificate) {
    const { datapath, pool, linkSocket } = sockets;
    this.#settings = settings;
    this.#sockets = sockets;
    this.#log = pino({ level: settings.logLevel, base: { process: 'node' } });
    const identity = new NodeIdentity();
    const registered = deferred<string>();
    const refused = deferred<string>();
    this.registered = registered.promise;
    this.refused = refused.promise;
    this.#control = this.#connection(identity, registered.resolve, refused.resolve);
    this.#core = new NodeCore({
      datapath,
      pool,
      linkSocket,
      identity,
      handshakes: handshakesWith(certificate),
      control: this.#control,
      log: this.#log,
      clockMs,
      isStopping: () => this.#stopping,
    });
  }

  async start(): Promise<void> {
    const { url, server } = await startOperations(this.#settings.httpHost, this.#settings.httpPort, {
      isInService: () => this.#control.connected && !this.#stopping,
      isStopping: () => this.#stopping,
      nodeId: () => this.#control.nodeId,
      transports: () => this.#core.context.transports.size,
      counters: () => this.#core.context.datapath.counters(),
      holdings: () => holdingsOf(this.#core.context, this.#core.moves),
    });
    this.opsUrl = url;
    this.#operations = server;
    this.#sockets.onExceptions((batch) => {
      this.#core.dispatch(batch);
    });
    this.#timers = [
      startClockwork(clockMs, (nowMs) => {
        this.#tick(nowMs);
      }),
      startHeartbeat(this.#core.context, () => this.#stopping),
    ];
    this.#control.open();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #tick(nowMs: number): void {
    this.#core.tick(nowMs);
    this.#control.tick(nowMs);
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    await this.#drained();
    for (const timer of this.#timers) clearInterval(timer);
    this.#control.close();
    await this.#operations?.close();
    await this.#core.context.datapath.close();
  }

  /** Control moves what we own; what has not gone in time ends with the process. */
  async #drained(): Promise<void> {
    const owned = (): number => this.#core.context.transports.owned().length;
    this.#core.context.report({ event: 'stopping' });
    const latestMs = clockMs() + STOP_MAX_MS;
    let fewest = owned();
    let deadlineMs = clockMs() + STOP_GRACE_MS;
    const isPending = (): boolean => this.#control.connected && (owned() > 0 || this.#core.moves.running > 0);
    while (isPending() && clockMs() < Math.min(deadlineMs, latestMs)) {
      await new Promise((resolve) => setTimeout(resolve, TICK_INTERVAL_MS));
      if (owned() < fewest) {
        fewest = owned();
        deadlineMs = clockMs() + STOP_GRACE_MS;
      }
    }
    this.#log.info({ left: owned() }, 'stopping');
  }

  #connection(
    identity: NodeIdentity,
    onRegistered: (nodeId: string) => void,
    onRefused: (reason: string) => void,
  ): ControlConnections {
    return new ControlConnections({
      controlUrl: this.#settings.controlUrl,
      joinKey: this.#settings.joinKey,
      identity,
      log: this.#log,
      clockMs,
      describe: () => ({
        ...this.#core.describe(),
        opsUrl: this.opsUrl,
        pid: process.pid,
      }),
      onRegistered: (nodeId) => {
        this.#core.registered(nodeId);
        this.#log.info({ nodeId, opsUrl: this.opsUrl }, 'registered with control');
        onRegistered(nodeId);
      },
      onCommand: (command) => this.#core.handle(command),
      onRefused: (reason) => {
        this.#log.error({ reason }, 'this node may not join: check GODWIT_JOIN_KEY');
        onRefused(reason);
      },
    });
  }
}

function linkBinding(settings: NodeSettings, pool: AddressPool): Pick<PoolAddress, 'address' | 'family'> {
  const [first] = pool.addresses;
  const address = settings.linkAddress ?? first?.address ?? '127.0.0.1';
  return { address, family: address.includes(':') ? 'IPv6' : 'IPv4' };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
