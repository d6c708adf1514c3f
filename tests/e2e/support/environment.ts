import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  canMakeNetworkNamespaces,
  makeNetworkNamespace,
  readPcap,
  type CapturedDatagram,
} from '@godwit/testing';

/** Where a browser test runs: in a namespace of its own with a non-loopback address where that is possible. */
export interface TestNetwork {
  readonly prefix: readonly string[];
  readonly isolated: boolean;
  remove(): void;
}

export function openTestNetwork(): TestNetwork {
  if (!canMakeNetworkNamespaces()) return { prefix: [], isolated: false, remove: () => undefined };
  const namespace = makeNetworkNamespace();
  return {
    prefix: namespace.prefix,
    isolated: true,
    remove: () => {
      namespace.remove();
    },
  };
}

/** tcpdump on the loopback interface of the namespace: there passes what a host sends to its own addresses. */
export class Capture {
  readonly #directory = mkdtempSync(join(tmpdir(), 'godwit-capture-'));
  readonly #file = join(this.#directory, 'capture.pcap');
  readonly #process: ChildProcess;

  constructor(network: TestNetwork) {
    const line = [
      ...network.prefix,
      'tcpdump',
      '-i',
      'lo',
      '-s',
      '0',
      '-B',
      '65536',
      '-U',
      '-w',
      this.#file,
      'udp',
    ];
    this.#process = spawn(line[0] ?? '', line.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** Resolves once tcpdump listens. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#process.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('listening on')) resolve();
      });
      this.#process.once('error', reject);
      this.#process.once('exit', (code) => {
        reject(new Error(`tcpdump ended with ${code ?? 'a signal'}`));
      });
    });
  }

  /** Stops, reads everything, removes the file. `dropped`: packets that the kernel could not hand over. */
  async finish(): Promise<{ datagrams: CapturedDatagram[]; dropped: number }> {
    let summary = '';
    this.#process.stderr?.on('data', (chunk: Buffer) => (summary += chunk.toString()));
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.kill('SIGINT');
    await ended;
    const datagrams = [...readPcap(readFileSync(this.#file))];
    rmSync(this.#directory, { recursive: true, force: true });
    return { datagrams, dropped: Number(/(\d+) packets? dropped by kernel/.exec(summary)?.[1] ?? 0) };
  }
}

/** Addresses to which clients sent STUN binding requests: the nodes' pool. */
export function serverEndpoints(datagrams: readonly CapturedDatagram[]): Set<string> {
  const endpoints = new Set<string>();
  for (const { payload, destination, destinationPort } of datagrams) {
    const bindingRequest =
      payload.length >= 20 && payload.readUInt16BE(0) === 1 && payload.readUInt32BE(4) === 0x2112a442;
    if (bindingRequest) endpoints.add(`${destination} ${destinationPort}`);
  }
  return endpoints;
}

/** What nodes sent to clients. */
export function fromServers(datagrams: readonly CapturedDatagram[]): CapturedDatagram[] {
  const servers = serverEndpoints(datagrams);
  return datagrams.filter(
    ({ source, sourcePort, destination, destinationPort }) =>
      servers.has(`${source} ${sourcePort}`) && !servers.has(`${destination} ${destinationPort}`),
  );
}
