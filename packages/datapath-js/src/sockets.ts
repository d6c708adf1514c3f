import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import {
  SOCKET_BUFFER_BYTES,
  type BoundSocket,
  type SocketHandle,
  type SocketOptions,
} from '@godwit/datapath';
import type { Counters } from './counters.js';

export interface SocketEntry {
  readonly handle: SocketHandle;
  readonly purpose: SocketOptions['purpose'];
  readonly family: SocketOptions['family'];
  readonly socket: Socket;
  isOpen: boolean;
}

export type OnDatagram = (entry: SocketEntry, bytes: Buffer, remote: RemoteInfo) => void;

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Addresses are always numeric: answering at once keeps `send` synchronous and off the resolver's threads. */
function numericLookup(address: string, options: unknown, callback: LookupCallback): void {
  callback(null, address, options === 6 ? 6 : 4);
}

/** The UDP sockets of this datapath, by handle. */
export class SocketTable {
  readonly #counters: Counters;
  readonly #onDatagram: OnDatagram;
  readonly #entries = new Map<SocketHandle, SocketEntry>();
  #nextHandle = 1;
  #isClosed = false;

  constructor(counters: Counters, onDatagram: OnDatagram) {
    this.#counters = counters;
    this.#onDatagram = onDatagram;
  }

  /** Rejects with the system's error (address in use, not available). */
  async open(options: SocketOptions): Promise<BoundSocket> {
    const socket = createSocket({
      type: options.family === 'IPv4' ? 'udp4' : 'udp6',
      ipv6Only: options.family === 'IPv6',
      lookup: numericLookup,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: options.address, port: options.port }, () => {
        socket.off('error', reject);
        resolve();
      });
    }).catch((error: unknown) => {
      socket.close();
      throw error;
    });
    if (this.#isClosed) {
      socket.close();
      throw new Error('the datapath is closed');
    }
    return this.#adopt(socket, options);
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
    await new Promise<void>((resolve) => entry.socket.close(() => resolve()));
  }

  async closeAll(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#entries.keys(), (handle) => this.close(handle)));
  }

  /** True when nothing waits in libuv for a socket to become writable. */
  isIdle(): boolean {
    for (const { socket } of this.#entries.values()) if (socket.getSendQueueCount() > 0) return false;
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

  #adopt(socket: Socket, options: SocketOptions): BoundSocket {
    const handle = this.#nextHandle++;
    const entry: SocketEntry = {
      handle,
      purpose: options.purpose,
      family: options.family,
      socket,
      isOpen: true,
    };
    this.#entries.set(handle, entry);
    this.#enlargeBuffers(socket);
    socket.on('error', () => {
      this.#counters.socket_errors += 1;
    });
    socket.on('message', (bytes, remote) => this.#onDatagram(entry, bytes, remote));
    const { address, port } = socket.address();
    return { handle, address, port, family: options.family };
  }

  #enlargeBuffers(socket: Socket): void {
    try {
      socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
      socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
    } catch {
      // Some systems refuse what is above their limit: the default serves, with less room for bursts.
      this.#counters.socket_errors += 1;
    }
  }
}
