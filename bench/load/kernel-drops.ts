import { readFileSync } from 'node:fs';

/** Datagrams that the kernel dropped because a socket's receive buffer was full, of all processes here (Linux). */
export function kernelDrops(): number {
  const lines = readFileSync('/proc/net/snmp', 'utf8').split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('RcvbufErrors')] ?? 0);
}
