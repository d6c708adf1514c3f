// How: runs `npm start`'s script as a shell would, in a process group of its own, and sends the signals a terminal sends.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '@godwit/testing';

const START_SCRIPT = path.resolve('scripts/start.mjs');
/** The platform's promise: everything has ended this long after the signal. */
const STOP_LIMIT_MS = 10_000;

interface Started {
  readonly process: ChildProcess;
  readonly exitCode: Promise<number | null>;
  output(): string;
}

describe('npm start', () => {
  let dataDir: string;
  let port: number;
  let running: Started[];

  beforeEach(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'godwit-start-'));
    port = await freePort();
    running = [];
  });
  afterEach(async () => {
    for (const { process: child, exitCode } of running) {
      child.kill('SIGKILL');
      await exitCode;
    }
    // The children of a killed platform notice by themselves, and may still be closing files.
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });

  function start(env: Readonly<Record<string, string>> = {}): Started {
    const child = spawn(process.execPath, [START_SCRIPT], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, GODWIT_PORT: String(port), GODWIT_DATA_DIR: dataDir, ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
    const started = { process: child, exitCode, output: () => output };
    running.push(started);
    return started;
  }

  async function untilUp(started: Started): Promise<void> {
    while (!started.output().includes('Ctrl-C')) {
      if (started.process.exitCode !== null) throw new Error(`it ended:\n${started.output()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function nodePids(): Promise<number[]> {
    const secrets = JSON.parse(readFileSync(path.join(dataDir, 'secrets.json'), 'utf8')) as {
      adminToken: string;
    };
    const response = await fetch(`http://127.0.0.1:${port}/admin/v1/nodes`, {
      headers: { authorization: `Bearer ${secrets.adminToken}` },
    });
    const { items } = (await response.json()) as { items: { pid: number; state: string }[] };
    return items.filter(({ state }) => state === 'in-service').map(({ pid }) => pid);
  }

  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  async function untilGone(pids: readonly number[], limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (pids.some(isAlive) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pids.filter(isAlive)).toEqual([]);
  }

  it('serves the platform with two nodes, and tells where the secrets are but not what', async () => {
    const platform = start();
    await untilUp(platform);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect(await nodePids()).toHaveLength(2);
    for (const page of ['/demo', '/sdk/godwit.js', '/openapi.json']) {
      expect({ page, status: (await fetch(`http://127.0.0.1:${port}${page}`)).status }).toEqual({
        page,
        status: 200,
      });
    }
    const secretsFile = path.join(dataDir, 'secrets.json');
    const { apiSecret, adminToken, joinKey } = JSON.parse(readFileSync(secretsFile, 'utf8')) as Record<
      string,
      string
    >;
    expect(statSync(secretsFile).mode & 0o777).toBe(0o600);
    expect(platform.output()).toContain(secretsFile);
    for (const secret of [apiSecret, adminToken, joinKey]) expect(platform.output()).not.toContain(secret);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with everything at %s to its process group',
    async (signal) => {
      const platform = start();
      await untilUp(platform);
      const pids = await nodePids();
      process.kill(-(platform.process.pid ?? 0), signal);
      await untilGone(pids, STOP_LIMIT_MS);
      expect(await platform.exitCode).toBe(0);
    },
  );

  it('leaves nothing behind when it is killed', async () => {
    const platform = start();
    await untilUp(platform);
    const pids = await nodePids();
    platform.process.kill('SIGKILL');
    await untilGone(pids, STOP_LIMIT_MS);
  });

  it('starts a node again that was killed, and says so', async () => {
    const platform = start();
    await untilUp(platform);
    const [victim = 0, other = 0] = await nodePids();
    process.kill(victim, 'SIGKILL');
    let pids: number[];
    do pids = await nodePids();
    while (pids.length < 2 || pids.includes(victim));
    expect(pids).toContain(other);
    expect(platform.output()).toMatch(/node \d died unexpectedly \(SIGKILL\)/);
  });

  it('names the busy port and the remedy in one line', async () => {
    await untilUp(start());
    const other = mkdtempSync(path.join(tmpdir(), 'godwit-start-'));
    const second = start({ GODWIT_DATA_DIR: other });
    expect(await second.exitCode).not.toBe(0);
    expect(second.output()).toMatch(new RegExp(`^.*${port}.*in use.*GODWIT_PORT.*$`, 'm'));
    rmSync(other, { recursive: true });
  });

  it('names the locked data folder and the remedy in one line', async () => {
    await untilUp(start());
    const second = start({ GODWIT_PORT: String(await freePort()) });
    expect(await second.exitCode).not.toBe(0);
    expect(second.output()).toMatch(/^.*data folder.*in use.*GODWIT_DATA_DIR.*$/m);
  });
});
