import { spawn, type ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { ConnectionTransport } from 'puppeteer-core';
import { WebSocket } from 'ws';

/** Joins its own input and output to a TCP port: run where that port can be reached. */
const JOIN_TO_PORT =
  "const s=require('net').connect(+process.argv[1],'127.0.0.1');process.stdin.pipe(s).pipe(process.stdout)";

/**
 * A WebSocket to a port that is open in a network namespace only: a process inside joins the port to its standard streams,
 * and the WebSocket is spoken over these.
 */
export class PipedWebSocket implements ConnectionTransport {
  onmessage?: (message: string) => void;
  onclose?: () => void;
  readonly #socket: WebSocket;
  readonly #joint: ChildProcess;

  private constructor(socket: WebSocket, joint: ChildProcess) {
    this.#socket = socket;
    this.#joint = joint;
    socket.on('message', (data: Buffer) => this.onmessage?.(data.toString()));
    socket.on('close', () => this.onclose?.());
    socket.on('error', () => this.close());
  }

  /** `prefix`: the command prefix of the namespace. Rejects when nobody answers as a WebSocket. */
  static async open(url: string, prefix: readonly string[]): Promise<PipedWebSocket> {
    const line = [...prefix, process.execPath, '-e', JOIN_TO_PORT, new URL(url).port];
    const joint = spawn(line[0] ?? '', line.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    const streams = Duplex.from({ readable: joint.stdout, writable: joint.stdin });
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      // The types ask for a net.Socket, but any Duplex will do.
      createConnection: (() => streams) as never,
    });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      });
    } catch (error) {
      joint.kill();
      throw error;
    }
    return new PipedWebSocket(socket, joint);
  }

  send(message: string): void {
    this.#socket.send(message);
  }

  close(): void {
    this.#socket.terminate();
    this.#joint.kill();
  }
}
