import { distributionOf, type Distribution } from '../load/statistics.js';
import type { PhaseResult } from './phases.js';

/** HANDOVER 4. */
const STATE_BYTES_BUDGET = 1_024;
const STATE_BYTES_BUDGET_PER_EGRESS = 300;

export interface MoveMeasure {
  readonly stateBytes?: number;
  readonly transferMs?: number;
  readonly pathMs?: number;
}

export function printPhase(result: PhaseResult): void {
  const { moved, wanted, durationMs, gaps, shamGaps } = result;
  const seconds = durationMs / 1_000;
  print(`\n${result.name}`);
  print(
    `  ${moved} of ${wanted} transports in ${seconds.toFixed(2)} s: ${(moved / seconds).toFixed(1)} a second`,
  );
  print(
    `  lost ${result.lost} (dropped by the kernel for full buffers, anywhere: ${result.kernelDrops}), nonces used twice ${result.reusedNonces}, not authentic ${result.unauthentic}, copies by two paths ${result.copies}, of ${result.packets} packets`,
  );
  print(`  load ${result.quietPacketsPerSecond.toFixed(0)} packets/s received`);
  print(`  CPU of one core, quiet: ${cores(result.quietCpu)}; moving: ${cores(result.cpu)}`);
  print(`  gap added, ms           moves                            shams`);
  print(`    as it receives        ${line(gaps.received)}  ${line(shamGaps.received)}`);
  print(`    as others receive it  ${line(gaps.sent)}  ${line(shamGaps.sent)}`);
  print(`    both                  ${line(gaps.both)}  ${line(shamGaps.both)}`);
  print(`  longest silence, ms     ${line(gaps.silence)}  ${line(shamGaps.silence)}`);
  const lengths = distributionOf(result.windows.map(({ fromMs, toMs }) => toMs - fromMs));
  print(`  window, ms              ${line(lengths)}`);
}

export function printStates(
  measures: readonly MoveMeasure[],
  egress: number,
  guards: readonly number[],
): void {
  const of = (key: keyof MoveMeasure): Distribution =>
    distributionOf(measures.flatMap((measure) => measure[key] ?? []));
  const budget = STATE_BYTES_BUDGET + egress * STATE_BYTES_BUDGET_PER_EGRESS;
  print(`\nall moves by the API`);
  print(`  state, bytes            ${line(of('stateBytes'))}  budget ${budget} (${egress} egress streams)`);
  print(`  freeze to ACCEPTED, ms  ${line(of('transferMs'))}`);
  print(`  start to proof, ms      ${line(of('pathMs'))}`);
  print(`  refused by nonce guards ${guards.join(', ')}`);
}

function cores(shares: Readonly<Record<string, number>>): string {
  return Object.entries(shares)
    .map(([name, share]) => `${name} ${(share * 100).toFixed(0)} %`)
    .join(', ');
}

function line({ p50, p99, max }: Distribution): string {
  const number = (value: number): string => value.toFixed(1).padStart(7);
  return `p50 ${number(p50)} p99 ${number(p99)} max ${number(max)}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
