import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where Debian and others keep the server's programs; GODWIT_TEST_POSTGRES wins. */
const FOLDERS = '/usr/lib/postgresql';
/** A cluster starts in a second or two; on a busy machine in ten. */
const START_TIMEOUT_MS = 60_000;
/** Debian's `nobody`: the server refuses to run as root. */
const NOBODY = 65_534;

/** The folder of `initdb` and `postgres`, or null when PostgreSQL is not installed. */
export function findPostgres(): string | null {
  const versions = existsSync(FOLDERS) ? readdirSync(FOLDERS).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    process.env['GODWIT_TEST_POSTGRES'],
    ...versions.map((each) => join(FOLDERS, each, 'bin')),
  ];
  return folders.find((folder) => folder !== undefined && existsSync(join(folder, 'initdb'))) ?? null;
}

/** A PostgreSQL server of its own, in a folder of its own, on a free port of 127.0.0.1. Never runs as root. */
export class PostgresServer {
  readonly #programs: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #settings: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(programs: string, folder: string, port: number, settings: readonly string[]) {
    this.#programs = programs;
    this.#folder = folder;
    this.#port = port;
    this.#settings = settings;
  }

  /** Makes a cluster and starts it. `settings` are `name=value` of postgresql.conf. */
  static async start(settings: readonly string[] = []): Promise<PostgresServer> {
    const programs = findPostgres();
    if (programs === null)
      throw new Error('PostgreSQL is not installed. Run: sudo apt-get install postgresql');
    const folder = await mkdtemp(join(tmpdir(), 'godwit-postgres-'));
    const user = userOf();
    if (user !== null) await chown(folder, user.uid, user.gid);
    const args = ['-D', join(folder, 'data'), '-U', 'godwit', '--auth=trust', '-E', 'UTF8', '--locale=C'];
    await run(join(programs, 'initdb'), args, { ...(user ?? {}), cwd: folder });
    const server = new PostgresServer(programs, folder, await freePort(), settings);
    await server.restart();
    return server;
  }

  /** Where the tests' own database is. */
  get url(): string {
    return this.#urlOf('postgres');
  }

  /** The same over a socket in the file system, which processes of another network namespace reach, too. */
  get socketUrl(): string {
    const query = new URLSearchParams({ host: this.#folder, port: String(this.#port) });
    return `postgres://godwit@localhost/postgres?${query.toString()}`;
  }

  /** An empty database; answers its URL. */
  async createDatabase(name: string): Promise<string> {
    await this.query(`create database "${name}"`);
    return this.#urlOf(name);
  }

  /** Starts the server after `stop` or `kill`. */
  async restart(): Promise<void> {
    const options = [
      `port=${this.#port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${this.#folder}`,
    ];
    const flags = [...options, ...this.#settings].flatMap((setting) => ['-c', setting]);
    this.#process = spawn(join(this.#programs, 'postgres'), ['-D', join(this.#folder, 'data'), ...flags], {
      ...(userOf() ?? {}),
      cwd: this.#folder,
      stdio: 'ignore',
    });
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (Date.now() > deadlineMs) throw new Error('PostgreSQL did not start in time');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it, as an administrator would in a hurry: open transactions are rolled back (SIGINT: fast shutdown). */
  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  /** Stops the server and removes everything. */
  async close(): Promise<void> {
    await this.#end('SIGQUIT');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill(signal);
    await gone;
  }

  #urlOf(database: string): string {
    return `postgres://godwit@127.0.0.1:${this.#port}/${database}`;
  }

  #answers(): Promise<boolean> {
    return this.query('select 1').then(
      () => true,
      () => false,
    );
  }

  /** One statement, in the first database, over a connection of its own. */
  async query(statement: string): Promise<void> {
    const args = [
      '-h',
      this.#folder,
      '-p',
      String(this.#port),
      '-U',
      'godwit',
      '-d',
      'postgres',
      '-c',
      statement,
    ];
    await run(join(this.#programs, 'psql'), args);
  }
}

/** Whom the server's programs run as; null: whoever runs the test. */
function userOf(): { readonly uid: number; readonly gid: number } | null {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
