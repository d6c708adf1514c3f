import { networkInterfaces } from 'node:os';
import type { BoundSocket, Datapath, SocketHandle } from '@godwit/datapath';
import type { PoolAddress } from '@godwit/protocol';
import { formatAddress } from '@godwit/transport';
import { ANNOUNCED_ADDRESSES_MAX, EMBEDDED_PORTS_PER_ADDRESS } from '../limits.js';

export interface PoolSettings {
  /** Addresses to announce; empty: the host's usable ones. */
  readonly announcedAddresses: readonly string[];
  /** First and last UDP port; null: free ones. */
  readonly rtcPorts: { readonly first: number; readonly last: number } | null;
}

/** The advertised ip:ports of this node: one socket each, shared by all transports. */
export class AddressPool {
  readonly addresses: readonly PoolAddress[];
  readonly #sockets: ReadonlyMap<string, BoundSocket>;

  private constructor(entries: readonly { address: PoolAddress; socket: BoundSocket }[]) {
    this.addresses = entries.map((entry) => entry.address);
    this.#sockets = new Map(entries.map((entry) => [formatAddress(entry.address), entry.socket]));
  }

  /** Binds every address and port; fails as a whole when one cannot be bound. */
  static async open(datapath: Datapath, settings: PoolSettings): Promise<AddressPool> {
    const local = localAddresses();
    const announced =
      settings.announcedAddresses.length > 0 ? settings.announcedAddresses : usableAddresses(local);
    const entries: { address: PoolAddress; socket: BoundSocket }[] = [];
    for (const address of announced.slice(0, ANNOUNCED_ADDRESSES_MAX)) {
      const family = address.includes(':') ? 'IPv6' : 'IPv4';
      // An address that is not ours is mapped 1:1 onto us: bind the wildcard, announce the outer one.
      const bind = isLocal(address, local) ? address : family === 'IPv6' ? '::' : '0.0.0.0';
      for (const port of ports(settings.rtcPorts)) {
        const socket = await datapath.openSocket({ address: bind, port, family, purpose: 'client' });
        entries.push({ address: { address, port: socket.port, family }, socket });
      }
    }
    return new AddressPool(entries);
  }

  /** The socket behind an advertised address. */
  socketOf(address: PoolAddress): SocketHandle | null {
    return this.#sockets.get(formatAddress(address))?.handle ?? null;
  }
}

function ports(range: PoolSettings['rtcPorts']): number[] {
  if (range === null) return new Array<number>(EMBEDDED_PORTS_PER_ADDRESS).fill(0);
  return Array.from({ length: range.last - range.first + 1 }, (_, offset) => range.first + offset);
}

interface LocalAddress {
  readonly address: string;
  readonly internal: boolean;
}

function localAddresses(): LocalAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address, internal }) => ({ address, internal }));
}

/** 127.0.0.0/8 is ours whole, although only 127.0.0.1 is listed. */
function isLocal(address: string, local: readonly LocalAddress[]): boolean {
  return address.startsWith('127.') || local.some((candidate) => candidate.address === address);
}

/** What a browser on this or another machine can reach: no loopback, no link-local; loopback when nothing else is there. */
export function usableAddresses(local: readonly LocalAddress[]): string[] {
  const usable = local
    .filter(
      ({ address, internal }) => !internal && !/^fe[89ab]/i.test(address) && !address.startsWith('169.254.'),
    )
    .map(({ address }) => address);
  return usable.length > 0 ? usable : ['127.0.0.1'];
}
