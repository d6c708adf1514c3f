import type { PoolAddress } from '@godwit/protocol';

/** "192.0.2.1:5000" or "[2001:db8::1]:5000". */
export function formatAddress(address: PoolAddress): string {
  return address.family === 'IPv6'
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}

/**
 * At most one address per family that is not in `used` (as formatAddress writes them), in the pool's order. IPv6 comes
 * first (RFC 8421 4). A browser ignores an address that it knows already, so each hop needs one (HANDOVER 6).
 */
export function chooseFreshAddresses(pool: readonly PoolAddress[], used: readonly string[]): PoolAddress[] {
  const seen = new Set(used);
  const isFresh = (address: PoolAddress) => !seen.has(formatAddress(address));
  const families = ['IPv6', 'IPv4'] as const;
  return families.flatMap((family) => pool.find((entry) => entry.family === family && isFresh(entry)) ?? []);
}
