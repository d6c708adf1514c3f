import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { NODE_PATH, SIGNALLING_PATH } from '@godwit/protocol';
import { claimDatabase, openFolderStorage, openPostgresStorage, type Storage } from '@godwit/storage';
import { Courier } from './callbacks/courier.js';
import type { ControlContext, Timings } from './context.js';
import { ControlCore } from './control-core.js';
import { CertificateFiles } from './http/certificate-files.js';
import { createHttp } from './http/server.js';
import { SHUTDOWN_FLUSH_MS, SHUTDOWN_MIGRATIONS_MS, TICK_INTERVAL_MS } from './limits.js';
import { within } from './deadline.js';
import type { Migrations } from './migration/migrations.js';
import { NodeServer } from './nodes/node-server.js';
import { ProjectAdministration } from './projects/administration.js';
import { StoredProjects } from './projects/directory.js';
import { ensureFirstProject } from './projects/first-project.js';
import { SecretBox } from './projects/secret-box.js';
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
  /** Default: PGlite in the data folder. Control closes what it opened itself, and this too. */
  readonly storage?: Storage;
  readonly secrets?: Secrets;
  readonly log?: Logger;
  /** Another control has the database now, and this one is closed. */
  readonly onTaken?: () => void;
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

/**
 * Opens the storage, takes up what an earlier control left, and prepares the listeners.
 * Errors: SettingsError, StorageError (each one line with the remedy).
 */
export async function createControl(options: ControlOptions): Promise<Control> {
  const { settings } = options;
  const secrets = options.secrets ?? (await loadSecrets(settings));
  const log = options.log ?? pino({ level: settings.logLevel, base: { process: 'control' } });
  let running: RunningControl | null = null;
  let isTaken = false;
  const onTaken = (): void => {
    isTaken = true;
    log.fatal('another control has taken the database over: this one ends');
    running
      ?.close()
      .catch(() => undefined)
      .finally(() => options.onTaken?.());
  };
  const storage = options.storage ?? (await openStorage(settings, onTaken));
  try {
    running = await assemble({ ...options, secrets, storage, log });
    if (isTaken)
      throw new SettingsError('Another control has taken the database over while this one started.');
    return running;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function assemble(
  options: ControlOptions & { readonly secrets: Secrets; readonly storage: Storage; readonly log: Logger },
): Promise<RunningControl> {
  const { settings, secrets, storage, log } = options;
  const clockMs = options.clockMs ?? Date.now;
  const box = new SecretBox(secrets.storageKey);
  await ensureFirstProject(storage, box, secrets, clockMs());
  const projects = new StoredProjects({ projects: storage.projects, box, log, clockMs });
  const core: ControlCore = new ControlCore({
    storage,
    log,
    clockMs,
    projects,
    callbacksDue: () => courier.look(),
    migrationMinAgeMs: settings.migrationMinAgeMs,
    timings: options.timings ?? {},
  });
  const { context, migrations } = core;
  const { metrics } = context;
  const allowsPrivate = settings.callbacksToPrivate;
  const courier = new Courier({ storage, projects, log, metrics, clockMs, allowsPrivate });
  await core.recover();
  const signalling = new SignallingServer(context, migrations);
  const nodeServer = new NodeServer({ registry: context.nodes, joinKey: secrets.joinKey, log });
  const { tlsFiles } = settings;
  const certificate = tlsFiles === undefined ? null : await CertificateFiles.read(tlsFiles, log);
  const http = await createHttp({
    ...options,
    ...(certificate === null ? {} : { tls: certificate.pem }),
    trustedProxies: settings.trustedProxies,
    context,
    storage,
    migrations,
    administration: new ProjectAdministration({ storage, directory: projects, box, clockMs }),
    adminToken: secrets.adminToken,
    firstProject: secrets.apiKey,
    demo: settings.demo,
    rateLimits: settings.rateLimits,
  });
  http.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = request.url?.split('?')[0];
    if (path === SIGNALLING_PATH) signalling.upgrade(request, socket, head);
    else if (path === NODE_PATH) nodeServer.upgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
  courier.start();
  return new RunningControl({
    options,
    core,
    context,
    migrations,
    courier,
    signalling,
    nodeServer,
    http,
    certificate,
    secrets,
  });
}

/** Closing it gives the database up as well. */
async function openStorage({ databaseUrl, dataDir }: ControlSettings, onTaken: () => void): Promise<Storage> {
  if (databaseUrl === undefined) return openFolderStorage(dataDir);
  const claim = await claimDatabase(databaseUrl, onTaken);
  try {
    const storage = await openPostgresStorage(databaseUrl);
    return {
      ...storage,
      close: async () => {
        await storage.close();
        await claim.release();
      },
    };
  } catch (error) {
    await claim.release();
    throw error;
  }
}

interface Parts {
  readonly options: ControlOptions;
  readonly core: ControlCore;
  readonly context: ControlContext;
  readonly migrations: Migrations;
  readonly courier: Courier;
  readonly signalling: SignallingServer;
  readonly nodeServer: NodeServer;
  readonly http: FastifyInstance;
  readonly certificate: CertificateFiles | null;
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
      parts.core.tick(nowMs);
      parts.signalling.tick(nowMs);
      // With a certificate the server is one of HTTPS.
      void parts.certificate?.tick(nowMs, parts.http.server as unknown as HttpsServer);
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
    const url = `${this.#parts.certificate === null ? 'http' : 'https'}://${name}:${address.port}`;
    this.#parts.context.log.info({ url }, 'control listens');
    return { url, port: address.port };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { context, migrations, courier, signalling, nodeServer, http } = this.#parts;
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
    await courier.close();
    await within(context.unwritten.flush(), SHUTDOWN_FLUSH_MS, undefined);
    await context.storage.close();
  }
}
