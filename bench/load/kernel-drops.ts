import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const COUNTERS = '/proc/net/snmp';

/**
 * Datagrams that the kernel dropped because a socket's receive buffer was full (Linux), of all processes here, or in the
 * network namespace that the prefix of a command leads to.
 */
export function kernelDrops(prefix: readonly string[] = []): number {
  const [command, ...args] = prefix;
  const text =
    command === undefined
      ? readFileSync(COUNTERS, 'utf8')
      : execFileSync(command, [...args, 'cat', COUNTERS], { encoding: 'utf8' });
  const lines = text.split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('RcvbufErrors')] ?? 0);
}
