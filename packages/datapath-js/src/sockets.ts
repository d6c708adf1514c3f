import type { BoundSocket, SocketHandle, SocketOptions } from '@godwit/datapath';
import type { Counters } from './counters.js';
import type { DatagramSource, OpenUdpSocket, UdpSocket } from './udp-socket.js';

export interface SocketEntry {
  readonly handle: SocketHandle;
  readonly purpose: SocketOptions['purpose'];
  readonly family: SocketOptions['family'];
  readonly socket: UdpSocket;
  isOpen: boolean;
}

export type OnDatagram = (entry: SocketEntry, bytes: Buffer, remote: DatagramSource) => void;

/** The UDP sockets of this datapath, by handle. */
export class SocketTable {
  readonly #counters: Counters;
  readonly #openSocket: OpenUdpSocket;
  readonly #onDatagram: OnDatagram;
  readonly #entries = new Map<SocketHandle, SocketEntry>();
  #nextHandle = 1;
  #isClosed = false;

  constructor(counters: Counters, openSocket: OpenUdpSocket, onDatagram: OnDatagram) {
    this.#counters = counters;
    this.#openSocket = openSocket;
    this.#onDatagram = onDatagram;
  }

  /** Rejects with the system's error (address in use, not available). */
  async open(options: SocketOptions): Promise<BoundSocket> {
    const handle = this.#nextHandle++;
    // Datagrams of the moment before the socket is entered find no entry, as they find no socket a moment earlier.
    const socket = await this.#openSocket(options, {
      onDatagram: (bytes, from) => {
        const entry = this.#entries.get(handle);
        if (entry !== undefined) this.#onDatagram(entry, bytes, from);
      },
      onError: () => {
        this.#counters.socket_errors += 1;
      },
    });
    if (this.#isClosed) {
      await socket.close();
      throw new Error('the datapath is closed');
    }
    const { purpose, family } = options;
    this.#entries.set(handle, { handle, purpose, family, socket, isOpen: true });
    return { handle, address: socket.address, port: socket.port, family };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Throws on an unknown handle. */
  get(handle: SocketHandle): SocketEntry {
    const entry = this.#entries.get(handle);
    if (entry === undefined) throw new Error(`no socket ${handle}`);
    return entry;
  }

  async close(handle: SocketHandle): Promise<void> {
    const entry = this.get(handle);
    this.#entries.delete(handle);
    entry.isOpen = false;
    await entry.socket.close();
  }

  async closeAll(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#entries.keys(), (handle) => this.close(handle)));
  }

  /** True when nothing waits for a socket to become writable. */
  isIdle(): boolean {
    for (const { socket } of this.#entries.values()) if (socket.queued() > 0) return false;
    return true;
  }

  /** `bytes` must stay as they are until sent. A closed socket counts and drops. */
  send(entry: SocketEntry, bytes: Uint8Array, port: number, address: string): void {
    if (!entry.isOpen) {
      this.#counters.dropped_no_socket += 1;
      return;
    }
    try {
      entry.socket.send(bytes, port, address);
    } catch {
      // An address of the wrong family or a port of 0: the world's bad input, not worth the process.
      this.#counters.send_errors += 1;
    }
  }
}
