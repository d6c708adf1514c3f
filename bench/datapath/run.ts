import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Load } from './load.js';
import {
  MEASURE_MS,
  PACKET_BYTES,
  RATIO_MAX,
  ROUNDS,
  SUBSCRIBERS,
  WARM_UP_MS,
  type ForwarderCommand,
  type ForwarderMessage,
} from './scenario.js';

const VARIANTS = ['plain-loop', 'datapath-js'] as const;
type Variant = (typeof VARIANTS)[number];

/** CPU microseconds of the forwarding process per forwarded packet. */
async function measure(variant: Variant): Promise<number> {
  const child = fork(new URL(`./${variant}.ts`, import.meta.url), {
    execArgv: [...process.execArgv, ...(process.env['BENCH_PROFILE'] === variant ? ['--cpu-prof'] : [])],
  });
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`${variant} ended with code ${code}`);
  });
  const load = await Load.open();
  const command = (message: ForwarderCommand) => child.send(message);
  const [ready] = (await once(child, 'message')) as [ForwarderMessage];
  if (ready.kind !== 'ready') throw new Error('the forwarder did not start');
  command({ kind: 'configure', addresses: load.addresses });
  const running = load.run(ready.port);
  await sleep(WARM_UP_MS);
  command({ kind: 'start' });
  await sleep(MEASURE_MS);
  command({ kind: 'stop' });
  const [measured] = (await once(child, 'message')) as [ForwarderMessage];
  const exited = once(child, 'exit');
  if (measured.kind !== 'measured') throw new Error('the forwarder did not report');
  assertForwarded(variant, load);
  await load.close();
  await running;
  await exited;
  return measured.cpuMicros / measured.forwarded;
}

/** A forwarder that drops or garbles packets would look fast. */
function assertForwarded(variant: Variant, load: Load): void {
  const share = load.received / (load.sent * SUBSCRIBERS);
  const authenticShare = load.authentic / load.sent;
  if (share > 0.97 && authenticShare > 0.97) return;
  throw new Error(
    `${variant} delivered ${(share * 100).toFixed(1)} %, authentic ${(authenticShare * 100).toFixed(1)} %`,
  );
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

const results: Record<Variant, number[]> = { 'plain-loop': [], 'datapath-js': [] };
for (let round = 0; round < ROUNDS; round += 1) {
  // Whoever goes first may find a quieter machine: the order changes every round.
  for (const variant of round % 2 === 0 ? VARIANTS : VARIANTS.toReversed()) {
    const micros = await measure(variant);
    results[variant].push(micros);
    console.log(`round ${round + 1}  ${variant.padEnd(12)} ${micros.toFixed(2)} µs`);
  }
}
const plain = median(results['plain-loop']);
const datapath = median(results['datapath-js']);
const ratio = datapath / plain;
console.log(
  `1 publisher to ${SUBSCRIBERS} subscribers, ${PACKET_BYTES}-byte packets, AES-128-GCM on both legs`,
);
console.log(
  `median CPU per forwarded packet: plain loop ${plain.toFixed(2)} µs, datapath-js ${datapath.toFixed(2)} µs`,
);
console.log(`ratio ${ratio.toFixed(2)} (at most ${RATIO_MAX})`);
process.exitCode = ratio <= RATIO_MAX ? 0 : 1;
