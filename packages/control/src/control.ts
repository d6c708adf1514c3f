import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { NODE_PATH, SIGNALLING_PATH, SIGNALLING_RESUME_GRACE_MS } from '@godwit/protocol';
import { openFolderStorage, type Storage } from '@godwit/storage';
import type { ControlContext, Timings } from './context.js';
import { createHttp } from './http/server.js';
import {
  CONNECTED_WAIT_MS,
  NODE_COMMAND_TIMEOUT_MS,
  NODE_DEAD_MS,
  NODE_REPORT_GRACE_MS,
  PATH_PROOF_TIMEOUT_MS,
  RESTART_ANSWER_TIMEOUT_MS,
  SHUTDOWN_MIGRATIONS_MS,
  TICK_INTERVAL_MS,
  TRANSFER_TIMEOUT_MS,
} from './limits.js';
import { within } from './deadline.js';
import { createMetrics } from './metrics.js';
import { Migrations } from './migration/migrations.js';
import { MoveWaits } from './migration/move-waits.js';
import { NodeEvents } from './nodes/node-events.js';
import { NodeServer } from './nodes/node-server.js';
import { NodeRegistry } from './nodes/registry.js';
import { forgetGoneNodes, recover } from './roster/recovery.js';
import { Roster } from './roster/roster.js';
import { RouteDistributor } from './roster/route-distributor.js';
import { loadSecrets, type Secrets } from './secrets.js';
import { SettingsError, type ControlSettings } from './settings.js';
import { SignallingServer } from './signalling/server.js';

export interface ControlOptions {
  readonly settings: ControlSettings;
  /** Folder with the built SDK (`godwit.js`), and its version. */
  readonly sdkDir?: string;
  readonly sdkVersion?: string;
  /** Folder with the built demo page. */
  readonly dashboardDir?: string;
  /** PEM texts; with them control speaks HTTPS and WSS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default: PGlite in the data folder. Control closes what it opened itself, and this too. */
  readonly storage?: Storage;
  readonly secrets?: Secrets;
  readonly log?: Logger;
  /** Tests shorten waits. */
  readonly timings?: Partial<Timings>;
  readonly clockMs?: () => number;
}

/** A control plane in this process. */
export interface Control {
  readonly secrets: Secrets;
  /** Starts to listen; answers the URL. Throws a SettingsError when the port is taken. */
  listen(): Promise<{ readonly url: string; readonly port: number }>;
  /** Ends sockets, waits shortly for moves, closes the database. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_TIMINGS: Timings = {
  pathProofMs: PATH_PROOF_TIMEOUT_MS,
  transferMs: TRANSFER_TIMEOUT_MS,
  restartAnswerMs: RESTART_ANSWER_TIMEOUT_MS,
  connectedWaitMs: CONNECTED_WAIT_MS,
  resumeGraceMs: SIGNALLING_RESUME_GRACE_MS,
  nodeReportGraceMs: NODE_REPORT_GRACE_MS,
  nodeCommandMs: NODE_COMMAND_TIMEOUT_MS,
  nodeDeadMs: NODE_DEAD_MS,
};

/**
 * Opens the storage, takes up what an earlier control left, and prepares the listeners.
 * Errors: SettingsError, StorageError (each one line with the remedy).
 */
export async function createControl(options: ControlOptions): Promise<Control> {
  const { settings } = options;
  const secrets = options.secrets ?? (await loadSecrets(settings));
  const storage = options.storage ?? (await openFolderStorage(settings.dataDir));
  try {
    const context = createContext(options, storage, secrets);
    const waits = new MoveWaits();
    const migrations = new Migrations(context, waits);
    context.nodes.setListener(new NodeEvents(context, migrations, waits));
    const { apiKey } = secrets;
    await storage.projects.ensure({ apiKey, name: 'default', createdAtMs: context.clockMs() });
    await recover(context);
    const signalling = new SignallingServer(context, migrations);
    const nodeServer = new NodeServer({
      registry: context.nodes,
      joinKey: secrets.joinKey,
      log: context.log,
    });
    const http = await createHttp({
      ...options,
      context,
      migrations,
      adminToken: secrets.adminToken,
      demo: settings.demo,
    });
    http.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const path = request.url?.split('?')[0];
      if (path === SIGNALLING_PATH) signalling.upgrade(request, socket, head);
      else if (path === NODE_PATH) nodeServer.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    });
    return new RunningControl({ options, context, migrations, signalling, nodeServer, http, secrets });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function createContext(options: ControlOptions, storage: Storage, secrets: Secrets): ControlContext {
  const { settings } = options;
  const log = options.log ?? pino({ level: settings.logLevel, base: { process: 'control' } });
  const clockMs = options.clockMs ?? Date.now;
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const nodes = new NodeRegistry({
    storage,
    log,
    clockMs,
    commandTimeoutMs: timings.nodeCommandMs,
    deadMs: timings.nodeDeadMs,
  });
  return {
    storage,
    nodes,
    routes: new RouteDistributor(nodes, log),
    roster: new Roster(storage),
    log,
    metrics: createMetrics(),
    project: { apiKey: secrets.apiKey, apiSecret: secrets.apiSecret },
    clockMs,
    migrationMinAgeMs: settings.migrationMinAgeMs,
    timings,
  };
}

interface Parts {
  readonly options: ControlOptions;
  readonly context: ControlContext;
  readonly migrations: Migrations;
  readonly signalling: SignallingServer;
  readonly nodeServer: NodeServer;
  readonly http: FastifyInstance;
  readonly secrets: Secrets;
}

class RunningControl implements Control {
  readonly secrets: Secrets;
  readonly #parts: Parts;
  readonly #ticker: NodeJS.Timeout;
  #closing: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.secrets = parts.secrets;
    this.#ticker = setInterval(() => {
      const nowMs = parts.context.clockMs();
      parts.context.nodes.tick(nowMs);
      parts.signalling.tick(nowMs);
      forgetGoneNodes(parts.context, nowMs).catch((error: unknown) => {
        parts.context.log.error({ error: String(error) }, 'forgetting a node failed');
      });
    }, TICK_INTERVAL_MS);
    this.#ticker.unref();
  }

  async listen(): Promise<{ url: string; port: number }> {
    const { http, options } = this.#parts;
    const { host, port } = options.settings;
    try {
      await http.listen({ host, port });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE') {
        throw new SettingsError(
          `Port ${port} of ${host} is in use. Stop what listens there, or set GODWIT_PORT to another port.`,
        );
      }
      if (code === 'EADDRNOTAVAIL' || code === 'EACCES') {
        throw new SettingsError(
          `Cannot listen on ${host} port ${port}. Set GODWIT_HOST and GODWIT_PORT to an address of this machine.`,
        );
      }
      throw error;
    }
    const address = http.server.address() as AddressInfo;
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    const url = `${options.tls === undefined ? 'http' : 'https'}://${name}:${address.port}`;
    this.#parts.context.log.info({ url }, 'control listens');
    return { url, port: address.port };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { context, migrations, signalling, nodeServer, http } = this.#parts;
    clearInterval(this.#ticker);
    // A move under way ends by itself; the next control would have to ask the nodes.
    await within(migrations.idle(), SHUTDOWN_MIGRATIONS_MS, undefined);
    for (const connection of context.roster.connections()) {
      if (connection.graceTimer !== null) clearTimeout(connection.graceTimer);
      connection.graceTimer = null;
      connection.ended = true;
    }
    await signalling.close();
    context.nodes.close();
    nodeServer.close();
    await http.close();
    await context.storage.close();
  }
}
