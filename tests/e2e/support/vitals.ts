import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, CDPSession, Page } from 'playwright-core';
import type { NodeReply } from '@godwit/testing';
import type { CallPage } from './call.js';
import type { Scene } from './scene.js';

const MIB = 1_048_576;
const KIB = 1_024;
const exec = promisify(execFile);

/** Named values of one moment: `control.heapMiB`, `node 1.descriptors`, `page 2.sdpChars`. */
export type Vitals = Record<string, number>;

interface ProbeAnswer {
  readonly memory: Record<'rss' | 'heapUsed' | 'external' | 'arrayBuffers', number>;
  readonly resources: Record<string, number>;
}

/** What every process of a call holds, after full collections: control, nodes, pages. */
export class VitalSigns {
  readonly #scene: Scene;
  readonly #probes: string;
  readonly #pages: { page: Page; name: string; cdp: CDPSession }[] = [];

  /** @param probes folder in which process-probe.mjs listens */
  constructor(scene: Scene, probes: string) {
    this.#scene = scene;
    this.#probes = probes;
  }

  async open(pages: readonly CallPage[]): Promise<void> {
    for (const [number, { page }] of pages.entries()) {
      const cdp = await page.context().newCDPSession(page);
      await cdp.send('Performance.enable');
      this.#pages.push({ page, name: `page ${number + 1}`, cdp });
    }
  }

  async take(): Promise<Vitals> {
    const { platform, browser } = this.#scene;
    const vitals: Vitals = {};
    const add = (owner: string, values: Vitals): void => {
      for (const [name, value] of Object.entries(values)) vitals[`${owner}.${name}`] = value;
    };
    add('control', await this.#process(platform.control.pid ?? 0));
    add('control', await this.#gauges(platform.url, 'godwit_control_held'));
    add('control', { databaseMiB: folderBytes(platform.dataDir) / MIB });
    for (const [number, { pid, opsUrl }] of (await this.#nodes()).entries()) {
      add(`node ${number + 1}`, await this.#process(pid));
      add(`node ${number + 1}`, await this.#gauges(opsUrl, 'godwit_node_held'));
    }
    for (const { page, name, cdp } of this.#pages) {
      await cdp.send('HeapProfiler.collectGarbage');
      add(name, await page.evaluate(() => window.census.take()));
      const { metrics } = await cdp.send('Performance.getMetrics');
      const metric = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? 0;
      add(name, {
        heapMiB: metric('JSHeapUsedSize') / MIB,
        domNodes: metric('Nodes'),
        listeners: metric('JSEventListeners'),
      });
    }
    return { ...vitals, ...(await rendererMemory(browser)) };
  }

  /** Counters of the packet path that tell of something dropped or refused, summed over the nodes. */
  async dropped(): Promise<Vitals> {
    const sums: Vitals = {};
    for (const { opsUrl } of await this.#nodes()) {
      for (const [name, value] of Object.entries(
        await this.#labelled(opsUrl, 'godwit_node_datapath', 'counter'),
      )) {
        if (/^dropped|_overflow$|refused$|_errors$/.test(name)) sums[name] = (sums[name] ?? 0) + value;
      }
    }
    return sums;
  }

  async #nodes(): Promise<NodeReply[]> {
    const nodes = await this.#scene.api.nodes();
    const order = this.#scene.platform.nodes.map(({ pid }) => pid);
    return nodes.sort((a, b) => order.indexOf(a.pid) - order.indexOf(b.pid));
  }

  async #process(pid: number): Promise<Vitals> {
    const { memory, resources } = await ask(join(this.#probes, `${pid}.sock`));
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return {
      residentMiB: memory.rss / MIB,
      heapMiB: memory.heapUsed / MIB,
      externalMiB: memory.external / MIB,
      buffersMiB: memory.arrayBuffers / MIB,
      descriptors,
      threads: readdirSync(`/proc/${pid}/task`).length,
      timers: (resources['Timeout'] ?? 0) + (resources['Immediate'] ?? 0),
      udpSockets: resources['UDPWrap'] ?? 0,
      resources: Object.values(resources).reduce((total, count) => total + count, 0),
    };
  }

  async #gauges(url: string, gauge: string): Promise<Vitals> {
    const values = await this.#labelled(url, gauge, 'kind');
    return Object.fromEntries(Object.entries(values).map(([kind, value]) => [`held.${kind}`, value]));
  }

  /** Values of one metric by its one label, read where the process lives. */
  async #labelled(url: string, metric: string, label: string): Promise<Vitals> {
    const [command = 'curl', ...rest] = [...this.#scene.network.prefix, 'curl', '-sf', `${url}/metrics`];
    const { stdout } = await exec(command, rest);
    const lines = stdout.matchAll(new RegExp(`^${metric}\\{${label}="([^"]+)"\\} (\\S+)$`, 'gm'));
    return Object.fromEntries([...lines].map(([, name = '', value]) => [name, Number(value)]));
  }
}

function ask(socketPath: string): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(socketPath);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('end', () => resolve(JSON.parse(text) as ProbeAnswer));
  });
}

function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

/** Resident memory of each renderer, oldest first: what no JavaScript heap shows, such as the peer connections themselves. */
async function rendererMemory(browser: Browser): Promise<Vitals> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  const residentKiB = (pid: number): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return Object.fromEntries(
    pids
      .sort((a, b) => a - b)
      .map((pid, number) => [`renderer ${number + 1}.residentMiB`, (residentKiB(pid) * KIB) / MIB]),
  );
}

declare global {
  interface Window {
    /** Defined by page-census.js. */
    census: { take(): Promise<Record<string, number>>; iceFragment(): string };
  }
}
