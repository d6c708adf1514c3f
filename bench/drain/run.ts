import { clockMs, PlatformApi, startPlatform, type Platform } from '@godwit/testing';
import { CpuMeter } from '../load/cpu-meter.js';
import { SessionLoad } from '../load/session-load.js';
import { readOptions, type DrainOptions } from './options.js';
import { migrateAll, runPhase, type PhaseResult } from './phases.js';
import { printPhase, printStates, type MoveMeasure } from './report.js';

// Transports under load, all on one node, moved to the other: by the API there and back, then by ending the node.

async function main(options: DrainOptions): Promise<boolean> {
  const { profile } = options;
  const profiled = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const platform = await startPlatform({
    nodes: 1,
    env: { GODWIT_MIGRATION_MIN_AGE_SECONDS: '0' },
    nodeEnv: { GODWIT_ANNOUNCED_ADDRESSES: '127.0.0.1', GODWIT_LOG_LEVEL: 'warn' },
    controlArguments: profiled,
    nodeArguments: { 0: profiled, 1: profiled },
  });
  try {
    return await bench(platform, options);
  } finally {
    await platform.stop();
  }
}

async function bench(platform: Platform, options: DrainOptions): Promise<boolean> {
  const api = new PlatformApi(platform);
  const load = await SessionLoad.start(platform, api, options, (joined) => {
    if (joined % 20 === 0) process.stderr.write(`${joined} transports joined\n`);
  });
  const [a = ''] = (await api.nodes()).map(({ id }) => id);
  const nodeB = platform.startNode();
  const b = await nodeInService(api, a);
  await load.flowing();
  const cpu = new CpuMeter(clockMs, {
    A: platform.nodes[0]?.pid ?? 0,
    B: nodeB.pid ?? 0,
    control: platform.control.pid ?? 0,
    generator: process.pid,
  });
  const results: PhaseResult[] = [];
  const states: MoveMeasure[] = [];
  const phase = async (
    name: string,
    outcome: 'completed' | 'rehearsed',
    begin: () => Promise<void>,
  ): Promise<void> => {
    const result = await runPhase({ name, load, cpu, quietMs: options.quietMs, outcome, begin });
    results.push(result);
    printPhase(result);
  };
  const migrate = async (name: string, target: string): Promise<void> => {
    let migrations: Awaited<ReturnType<typeof migrateAll>> = [];
    await phase(name, 'completed', async () => {
      migrations = await migrateAll(api, load, target, false);
    });
    // Afterwards: who asks while it runs is part of control's load.
    const ended = await Promise.all(
      migrations.map(({ sessionId, migrationId }) => api.migrated(sessionId, migrationId)),
    );
    states.push(
      ...ended.flatMap(({ connections }) => connections?.map(({ measures }) => measures ?? {}) ?? []),
    );
  };
  for (let round = 0; round < options.rounds; round++) {
    await migrate('all sessions A to B by the API', b);
    await migrate('all sessions B to A by the API', a);
  }
  const guards = await guardRefusals(api);
  await phase('drain of A by SIGTERM', 'completed', async () => {
    platform.nodes[0]?.kill('SIGTERM');
    await Promise.resolve();
  });
  guards.push(...(await guardRefusals(api)));
  cpu.stop();
  printStates(states, options.egress, guards);
  await load.close();
  const isWhole = results.every(
    ({ moved, wanted, lost, reusedNonces }) => moved === wanted && lost === 0 && reusedNonces === 0,
  );
  return isWhole && guards.every((refused) => refused === 0);
}

async function nodeInService(api: PlatformApi, other: string): Promise<string> {
  for (;;) {
    const node = (await api.nodes()).find(({ id }) => id !== other);
    if (node !== undefined) return node.id;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Encryptions that the nonce guards of the nodes refused since they started. */
async function guardRefusals(api: PlatformApi): Promise<number[]> {
  const nodes = await api.nodes();
  return Promise.all(
    nodes.map(async ({ opsUrl }) => {
      const metrics = await fetch(`${opsUrl}/metrics`).then(
        (response) => response.text(),
        () => '',
      );
      return Number(/godwit_node_datapath\{counter="guard_refused"\} (\d+)/.exec(metrics)?.[1] ?? 0);
    }),
  );
}

const isGood = await main(readOptions(process.argv.slice(2)));
process.exit(isGood ? 0 : 1);
