import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { PoolAddress } from '@godwit/protocol';

/** Somebody with a socket of its own and whatever it has recorded. Stands for a forged source address too. */
export class Attacker {
  /** Bytes that it sent, and that were sent to it. */
  sent = 0;
  got = 0;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      this.got += bytes.length;
    });
  }

  static async open(): Promise<Attacker> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Attacker(socket);
  }

  send(bytes: Buffer, to: Pick<PoolAddress, 'address' | 'port'>): void {
    this.sent += bytes.length;
    this.#socket.send(Buffer.from(bytes), to.port, to.address);
  }

  close(): void {
    this.#socket.close();
  }
}
