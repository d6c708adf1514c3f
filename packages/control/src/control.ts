import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { NODE_PATH, SIGNALLING_PATH } from '@godwit/protocol';
import type { Membership, Storage } from '@godwit/storage';
import { Courier } from './callbacks/courier.js';
import type { ControlContext, Timings } from './context.js';
import { ControlCore } from './control-core.js';
import { CertificateFiles } from './http/certificate-files.js';
import { createHttp } from './http/server.js';
import { LEAVING_MS, SHUTDOWN_FLUSH_MS, SHUTDOWN_MIGRATIONS_MS, TICK_INTERVAL_MS } from './limits.js';
import { within } from './deadline.js';
import type { Migrations } from './migration/migrations.js';
import { NodeServer } from './nodes/node-server.js';
import { PlannedEnds } from './nodes/planned-ends.js';
import { ProjectAdministration } from './projects/administration.js';
import { StoredProjects } from './projects/directory.js';
import { ensureFirstProject } from './projects/first-project.js';
import { SecretBox } from './projects/secret-box.js';
import { openDatabase } from './replicas/open-database.js';
import { reachableUrl } from './replicas/reachable-url.js';
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
  /** The other controls of the database have taken this one for dead, and it is closed. */
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
    if (isTaken) return;
    isTaken = true;
    log.fatal('the others have taken this control for dead: it ends, they go on with its sessions');
    running
      ?.close()
      .catch(() => undefined)
      .finally(() => options.onTaken?.());
  };
  const opened = await openDatabase(options, secrets, {
    onLost: onTaken,
    onChange: () => running?.replicasChanged(),
  });
  try {
    running = await assemble({ ...options, ...opened, secrets, log, onTaken });
    if (isTaken) throw new SettingsError('The others have taken this control for dead while it started.');
    return running;
  } catch (error) {
    await opened.membership.leave();
    await opened.storage.close();
    throw error;
  }
}

async function assemble(
  options: ControlOptions & {
    readonly secrets: Secrets;
    readonly storage: Storage;
    readonly membership: Membership;
    readonly log: Logger;
    readonly onTaken: () => void;
  },
): Promise<RunningControl> {
  const { settings, secrets, storage, membership, log } = options;
  const clockMs = options.clockMs ?? Date.now;
  const box = new SecretBox(secrets.storageKey);
  await ensureFirstProject(storage, box, secrets, clockMs());
  const projects = new StoredProjects({ projects: storage.projects, box, log, clockMs });
  const core: ControlCore = new ControlCore({
    storage,
    membership,
    onLost: options.onTaken,
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
  const { nodes, callbacksDue } = context;
  const plannedEnds = new PlannedEnds({ storage, nodes, log, clockMs, callbacksDue });
  await plannedEnds.look();
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
    plannedEnds,
    administration: new ProjectAdministration({ storage, directory: projects, box, clockMs }),
    adminToken: secrets.adminToken,
    firstProject: secrets.apiKey,
    demo: settings.demo,
    rateLimits: settings.rateLimits,
  });
  leadUpgrades(http, signalling, nodeServer);
  courier.start();
  return new RunningControl({
    options,
    core,
    context,
    migrations,
    courier,
    plannedEnds,
    signalling,
    nodeServer,
    http,
    certificate,
    secrets,
  });
}

/** Clients and nodes open their sockets at paths of their own. */
function leadUpgrades(http: FastifyInstance, signalling: SignallingServer, nodeServer: NodeServer): void {
  http.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = request.url?.split('?')[0];
    if (path === SIGNALLING_PATH) signalling.upgrade(request, socket, head);
    else if (path === NODE_PATH) nodeServer.upgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
}

interface Parts {
  readonly options: ControlOptions;
  readonly core: ControlCore;
  readonly context: ControlContext;
  readonly migrations: Migrations;
  readonly courier: Courier;
  readonly plannedEnds: PlannedEnds;
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
      parts.plannedEnds.tick(nowMs);
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
    await this.#parts.context.membership.announce(options.settings.replicaUrl ?? reachableUrl(url));
    this.#parts.context.log.info({ url }, 'control listens');
    return { url, port: address.port };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The controls of the database have changed. */
  replicasChanged(): void {
    this.#parts.core.replicasChanged();
  }

  async #close(): Promise<void> {
    const { core, context, migrations, courier, plannedEnds, signalling, nodeServer, http } = this.#parts;
    clearInterval(this.#ticker);
    // A move under way ends by itself; the next control would have to ask the nodes.
    await within(migrations.idle(), SHUTDOWN_MIGRATIONS_MS, undefined);
    await within(context.unwritten.flush(), SHUTDOWN_FLUSH_MS, undefined);
    // Before the clients are sent away: whoever they come to next may take up their sessions at once.
    await core.leave();
    await signalling.close();
    if (context.membership.replicas().length > 0 && !context.membership.isAlone)
      await new Promise((resolve) => setTimeout(resolve, LEAVING_MS));
    context.nodes.close();
    nodeServer.close();
    await http.close();
    await plannedEnds.close();
    await courier.close();
    await context.storage.close();
  }
}
