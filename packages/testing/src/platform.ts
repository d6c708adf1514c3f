import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../apps/cli/dist/main.js', import.meta.url));
const BALANCER = fileURLToPath(new URL('balancer.mjs', import.meta.url));
/** A busy machine takes its time. */
const START_TIMEOUT_MS = 120_000;
const LOG_LINES_MAX = 5_000;

export interface PlatformOptions {
  readonly nodes?: number;
  /** Controls that share the database of `env`, behind a balancer; default: one, without. */
  readonly controls?: number;
  /** Command prefix of a network namespace. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeEnv?: Readonly<Record<string, string>>;
  /** Settings of the node with this number, from 0 on in the order of their starts. */
  readonly nodeEnvOf?: (number: number) => Readonly<Record<string, string>>;
  /** The loopback address by which the node with this number reaches control; control must listen there. */
  readonly controlAddressOf?: (number: number) => string;
  /** Extra Node.js arguments of the node with this number (fault injection by --import). */
  readonly nodeArguments?: Readonly<Record<number, readonly string[]>>;
  /** Extra Node.js arguments of control. */
  readonly controlArguments?: readonly string[];
  /** Runs a request where the platform lives; default: fetch from here. */
  readonly request?: typeof fetch;
}

/** Control and nodes as separate processes, started as an operator starts them. */
export interface Platform {
  readonly url: string;
  readonly port: number;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly adminToken: string;
  /** Where control keeps its database. */
  readonly dataDir: string;
  /** The newest one. */
  readonly control: ChildProcess;
  /** By number, the newest of each. */
  readonly controls: readonly ChildProcess[];
  /** Where each of them listens; `url` is the balancer's when there are several. */
  readonly controlUrls: readonly string[];
  readonly nodes: readonly ChildProcess[];
  /** What the processes wrote, newest last. */
  readonly log: readonly string[];
  startNode(): ChildProcess;
  /** Another control in the place of one that has ended, the first unless said: same data folder, secrets and port. */
  startControl(number?: number): ChildProcess;
  stop(): Promise<void>;
}

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const dataDir = mkdtempSync(join(tmpdir(), 'godwit-platform-'));
  const port = await freePort();
  const secret = (): string => randomBytes(24).toString('hex');
  const credentials = {
    apiKey: String(100_000 + Math.floor(Math.random() * 899_999)),
    apiSecret: secret(),
    adminToken: secret(),
  };
  const joinKey = secret();
  const log: string[] = [];
  const children: ChildProcess[] = [];
  const common = { ...process.env, GODWIT_JOIN_KEY: joinKey, GODWIT_LOG_LEVEL: 'info' };
  const start = (
    name: string,
    args: string[],
    env: Readonly<Record<string, string>>,
    nodeArguments: readonly string[] = [],
  ) => {
    const line = [...(options.prefix ?? []), process.execPath, ...nodeArguments, CLI, ...args];
    const child = spawn(line[0] ?? '', line.slice(1), {
      env: { ...common, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    collect(child, name, log);
    children.push(child);
    return child;
  };
  const count = options.controls ?? 1;
  const controlPorts = await Promise.all(
    Array.from({ length: count }, () => (count === 1 ? port : freePort())),
  );
  const storageKey = secret();
  const startControl = (number: number): ChildProcess =>
    start(
      count === 1 ? 'control' : `control-${number + 1}`,
      ['control'],
      {
        GODWIT_HOST: '127.0.0.1',
        GODWIT_PORT: String(controlPorts[number]),
        GODWIT_DATA_DIR: count === 1 ? dataDir : join(dataDir, `control-${number + 1}`),
        ...(count === 1 ? {} : { GODWIT_STORAGE_KEY: storageKey }),
        GODWIT_API_KEY: credentials.apiKey,
        GODWIT_API_SECRET: credentials.apiSecret,
        GODWIT_ADMIN_TOKEN: credentials.adminToken,
        ...options.env,
      },
      options.controlArguments,
    );
  const controls = controlPorts.map((_, number) => startControl(number));
  let control = controls[0] as ChildProcess;
  if (count > 1) {
    const line = [
      ...(options.prefix ?? []),
      process.execPath,
      BALANCER,
      String(port),
      ...controlPorts.map(String),
    ];
    const balancer = spawn(line[0] ?? '', line.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    collect(balancer, 'balancer', log);
    children.push(balancer);
  }
  const nodes: ChildProcess[] = [];
  const startNode = (): ChildProcess => {
    const number = nodes.length;
    const child = start(
      `node-${number + 1}`,
      ['node'],
      {
        GODWIT_CONTROL_URL: `http://${options.controlAddressOf?.(number) ?? '127.0.0.1'}:${port}`,
        GODWIT_LINK_ADDRESS: '127.0.0.1',
        ...options.nodeEnv,
        ...options.nodeEnvOf?.(number),
      },
      options.nodeArguments?.[number] ?? [],
    );
    nodes.push(child);
    return child;
  };
  for (let number = 0; number < (options.nodes ?? 2); number++) startNode();
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => end(child)));
    rmSync(dataDir, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitFor(
      log,
      `${options.nodes ?? 2} nodes registered with ${count} controls`,
      () => log.filter((entry) => entry.includes('node registered')).length >= (options.nodes ?? 2) * count,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    port,
    ...credentials,
    dataDir,
    get control() {
      return control;
    },
    controls,
    controlUrls: controlPorts.map((each) => `http://127.0.0.1:${each}`),
    nodes,
    log,
    startNode,
    startControl: (number = 0) => (controls[number] = control = startControl(number)),
    stop,
  };
}

function collect(child: ChildProcess, name: string, log: string[]): void {
  const take = (chunk: Buffer): void => {
    for (const line of chunk.toString().split('\n')) {
      if (line === '') continue;
      log.push(`[${name}] ${line}`);
      if (log.length > LOG_LINES_MAX) log.shift();
    }
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  child.on('exit', (code, signal) => log.push(`[${name}] exit ${code ?? signal ?? ''}`));
}

async function waitFor(log: readonly string[], what: string, done: () => boolean): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!done()) {
    if (Date.now() > deadline || log.some((entry) => /exit [1-9]/.test(entry))) {
      throw new Error(`the platform did not start (${what}):\n${log.slice(-40).join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** SIGTERM, and SIGKILL for what has not ended in time. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  // One that a test has stopped hears nothing until it goes on.
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), 12_000);
  await ended;
  clearTimeout(timer);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
