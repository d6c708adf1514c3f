import { networkInterfaces } from 'node:os';

/** Where other hosts reach what listens at `url`: for a wildcard the first address of this host that is not a loopback. */
export function reachableUrl(url: string): string {
  const parsed = new URL(url);
  if (parsed.hostname !== '0.0.0.0' && parsed.hostname !== '[::]') return parsed.origin;
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const address = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  parsed.hostname = address ?? '127.0.0.1';
  return parsed.origin;
}
