import type { RemoteAddress } from '@godwit/datapath';
import type { SocketEntry } from './sockets.js';
import type { TransportEntry } from './transport-entry.js';

/** One validated remote address of one transport. */
export class Binding {
  readonly kind = 'socket';
  readonly transport: TransportEntry;
  readonly entry: SocketEntry;
  readonly remote: RemoteAddress;
  bytesReceived = 0;
  /** Bytes sent while the address was unproven. */
  bytesSentUnproven = 0;
  /** Authenticated SRTP or SRTCP has come from it. */
  isProven = false;

  constructor(transport: TransportEntry, entry: SocketEntry, remote: RemoteAddress) {
    this.transport = transport;
    this.entry = entry;
    this.remote = { address: remote.address, port: remote.port, family: remote.family };
  }
}

/** Which transport a datagram belongs to, by socket and remote address. */
export class RemoteTable {
  readonly #sockets = new Map<SocketEntry, Map<string, Map<number, Binding>>>();
  #last: Binding | null = null;

  find(entry: SocketEntry, address: string, port: number): Binding | null {
    const last = this.#last;
    if (
      last !== null &&
      last.remote.port === port &&
      last.entry === entry &&
      last.remote.address === address
    ) {
      return last;
    }
    const found = this.#sockets.get(entry)?.get(address)?.get(port) ?? null;
    if (found !== null) this.#last = found;
    return found;
  }

  /** Takes the place of a binding of the same address. */
  add(binding: Binding): void {
    const { entry, remote } = binding;
    let addresses = this.#sockets.get(entry);
    if (addresses === undefined) this.#sockets.set(entry, (addresses = new Map()));
    let ports = addresses.get(remote.address);
    if (ports === undefined) addresses.set(remote.address, (ports = new Map()));
    ports.set(remote.port, binding);
    this.#last = null;
  }

  remove(binding: Binding): void {
    const { entry, remote } = binding;
    const addresses = this.#sockets.get(entry);
    const ports = addresses?.get(remote.address);
    if (addresses === undefined || ports?.get(remote.port) !== binding) return;
    ports.delete(remote.port);
    if (ports.size === 0) addresses.delete(remote.address);
    if (addresses.size === 0) this.#sockets.delete(entry);
    this.#last = null;
  }
}
