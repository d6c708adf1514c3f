import { execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlatformApi, startPlatform, type Platform } from '@godwit/testing';
import type { Link, Party } from './matrix.js';
import { StepFolder } from './step-folder.js';
import { until } from './until.js';

/** The one address of the namespace that clients use. */
const MEDIA_ADDRESS = '10.77.0.2';
const POOL_PORTS = 8;
const WAIT_MS = 20_000;
const NODES = 3;

/** Ports and addresses by which the packet filter tells the nodes apart. */
const linkPort = (number: number): number => 20_000 + number;
const poolPorts = (number: number): [number, number] => [
  30_000 + number * POOL_PORTS,
  30_000 + number * POOL_PORTS + POOL_PORTS - 1,
];
const controlAddress = (number: number): string => `127.0.1.${number + 1}`;

/** The nodes of a cell; a bystander holds the other side of the call. */
export interface StageNodes {
  readonly source: StageNode;
  readonly target: StageNode;
  readonly bystander: StageNode;
}

export interface StageNode {
  readonly number: number;
  readonly process: ChildProcess;
  readonly nodeId: string;
  readonly opsUrl: string;
}

/** One control and three nodes in this network namespace, whose processes and links a test may break and mend. */
export class Stage {
  readonly platform: Platform;
  /** Gives a request up whose party stands still. */
  readonly api: PlatformApi;
  readonly steps: StepFolder;
  #cuts = 0;

  private constructor(platform: Platform, steps: StepFolder) {
    this.platform = platform;
    this.api = new PlatformApi(platform, (url, request) =>
      fetch(url, { ...request, signal: AbortSignal.timeout(WAIT_MS) }),
    );
    this.steps = steps;
  }

  static async open(): Promise<Stage> {
    const steps = new StepFolder(mkdtempSync(join(tmpdir(), 'godwit-steps-')));
    const platform = await startPlatform({
      nodes: NODES,
      env: { ...steps.env, GODWIT_HOST: '0.0.0.0', GODWIT_MIGRATION_MIN_AGE_SECONDS: '0' },
      nodeEnvOf: (number) => {
        const [first, last] = poolPorts(number);
        return {
          ...steps.env,
          GODWIT_ANNOUNCED_ADDRESSES: MEDIA_ADDRESS,
          GODWIT_RTC_PORTS: `${first}-${last}`,
          GODWIT_LINK_PORT: String(linkPort(number)),
        };
      },
      controlAddressOf: controlAddress,
    });
    execFileSync('nft', ['add', 'table', 'inet', 'faults']);
    return new Stage(platform, steps);
  }

  async close(): Promise<void> {
    await this.platform.stop();
    rmSync(this.steps.path, { recursive: true, force: true });
  }

  // ---------------------------------------------------------------- processes

  /** Three living nodes, once they are in service; those that died are replaced. */
  async nodes(): Promise<StageNodes> {
    const { platform } = this;
    while (platform.nodes.filter(isAlive).length < NODES) platform.startNode();
    return until('three nodes in service', async () => {
      const views = await this.api.nodes().catch(() => []);
      const [source, target, bystander] = platform.nodes.flatMap((process, number): StageNode[] => {
        const view = views.find(({ pid, state }) => pid === process.pid && state === 'in-service');
        if (!isAlive(process) || view === undefined) return [];
        return [{ number, process, nodeId: view.id, opsUrl: view.opsUrl }];
      });
      if (source === undefined || target === undefined || bystander === undefined) return null;
      return { source, target, bystander };
    });
  }

  process(party: Party, nodes: StageNodes): ChildProcess {
    return party === 'control' ? this.platform.control : nodes[party].process;
  }

  /** How many transports a node says it owns; 0 for one that is gone. */
  async owned({ opsUrl }: StageNode): Promise<number> {
    const response = await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(WAIT_MS) }).catch(
      () => null,
    );
    const text = (await response?.text()) ?? '';
    return Number(/^godwit_node_held\{kind="transports_owned"\} (\d+)/m.exec(text)?.[1] ?? 0);
  }

  // ---------------------------------------------------------------- links

  /** Nothing passes between the two until `mend`. */
  cut(link: Link, { source, target }: StageNodes): void {
    const chain = `cut${(this.#cuts += 1)}`;
    const rules = rulesOf(link, source.number, target.number, this.platform.port);
    const script = [
      `add chain inet faults ${chain} { type filter hook input priority 0; }`,
      ...rules.map((rule) => `add rule inet faults ${chain} ${rule} drop`),
    ];
    execFileSync('nft', ['-f', '-'], { input: script.join('\n') });
  }

  mend(): void {
    execFileSync('nft', ['flush', 'ruleset']);
    execFileSync('nft', ['add', 'table', 'inet', 'faults']);
  }
}

export const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null;

function rulesOf(link: Link, source: number, target: number, controlPort: number): string[] {
  const pool = (number: number): string[] => {
    const range = poolPorts(number).join('-');
    return [`udp dport ${range}`, `udp sport ${range}`];
  };
  const control = (number: number): string[] => [
    `ip daddr ${controlAddress(number)} tcp dport ${controlPort}`,
    `ip saddr ${controlAddress(number)} tcp sport ${controlPort}`,
  ];
  switch (link) {
    case 'source-target':
      return [
        `udp sport ${linkPort(source)} udp dport ${linkPort(target)}`,
        `udp sport ${linkPort(target)} udp dport ${linkPort(source)}`,
      ];
    case 'source-control':
      return control(source);
    case 'target-control':
      return control(target);
    case 'client-source':
      return pool(source);
    case 'client-target':
      return pool(target);
  }
}
