import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { SOCKET_BUFFER_BYTES } from '@godwit/datapath';
import type { SocketOptions } from '@godwit/datapath';

/** Where a datagram came from. */
export type DatagramSource = Pick<RemoteInfo, 'address' | 'port'>;

/** One bound UDP socket, as the datapath uses it. */
export interface UdpSocket {
  readonly address: string;
  readonly port: number;
  /** `bytes` stay as they are until sent. Throws for an address or port that nothing can be sent to. */
  send(bytes: Uint8Array, port: number, address: string): void;
  /** Datagrams that wait to leave. */
  queued(): number;
  close(): Promise<void>;
}

export interface UdpSocketEvents {
  readonly onDatagram: (bytes: Buffer, from: DatagramSource) => void;
  /** An error that concerns no single call. */
  readonly onError: () => void;
}

/** Binds a socket. Rejects with the system's error (address in use, not available). */
export type OpenUdpSocket = (
  options: Pick<SocketOptions, 'address' | 'port' | 'family'>,
  events: UdpSocketEvents,
) => Promise<UdpSocket>;

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Addresses are always numeric: answering at once keeps `send` synchronous and off the resolver's threads. */
function numericLookup(address: string, options: unknown, callback: LookupCallback): void {
  callback(null, address, options === 6 ? 6 : 4);
}

/** A socket of the operating system. */
export const openSystemSocket: OpenUdpSocket = async ({ address, port, family }, events) => {
  const socket = createSocket({
    type: family === 'IPv4' ? 'udp4' : 'udp6',
    ipv6Only: family === 'IPv6',
    lookup: numericLookup,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port }, () => {
      socket.off('error', reject);
      resolve();
    });
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  enlargeBuffers(socket, events);
  socket.on('error', events.onError);
  socket.on('message', events.onDatagram);
  const bound = socket.address();
  return {
    address: bound.address,
    port: bound.port,
    send: (bytes, toPort, toAddress) => {
      socket.send(bytes, toPort, toAddress);
    },
    queued: () => socket.getSendQueueCount(),
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
};

function enlargeBuffers(socket: Socket, events: UdpSocketEvents): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
  } catch {
    // Some systems refuse what is above their limit: the default serves, with less room for bursts.
    events.onError();
  }
}
