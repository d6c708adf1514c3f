import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  nodeMessage,
  nodeRegistration,
  type NodeCommand,
  type NodeCommandType,
  type NodeEvent,
  type NodePeer,
  type NodeRegistration,
  type NodeResult,
} from '@godwit/protocol';

type Fields<T extends NodeCommandType> = Omit<Extract<NodeCommand, { type: T }>, 'id' | 'type'>;

/** One registered node, as a scripted control plane sees it. */
export class FakeNodeSession {
  readonly nodeId: string;
  readonly registration: NodeRegistration;
  readonly events: NodeEvent[] = [];
  readonly #socket: WebSocket;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #lastId = 0;

  constructor(nodeId: string, registration: NodeRegistration, socket: WebSocket) {
    this.nodeId = nodeId;
    this.registration = registration;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#receive(JSON.parse(data.toString()));
    });
  }

  get peer(): NodePeer {
    const { identityKey, linkKey, linkKeySignature, bootId, linkAddress } = this.registration;
    return { nodeId: this.nodeId, identityKey, linkKey, linkKeySignature, bootId, linkAddress };
  }

  command<T extends NodeCommandType>(type: T, fields: Fields<T>): Promise<NodeResult<T>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {
        resolve: (value) => {
          resolve(value as NodeResult<T>);
        },
        reject,
      });
      this.#socket.send(JSON.stringify({ id, type, ...fields }));
    });
  }

  /** The socket dies; the node dials again and is another session then. */
  drop(): void {
    this.#socket.terminate();
  }

  #receive(message: unknown): void {
    const parsed = nodeMessage.parse(message);
    if ('event' in parsed) {
      this.events.push(parsed);
      return;
    }
    const waiting = this.#waiting.get(parsed.replyTo);
    this.#waiting.delete(parsed.replyTo);
    if (parsed.ok) waiting?.resolve(parsed.result);
    else waiting?.reject(new Error(`${parsed.error.code}: ${parsed.error.message}`));
  }
}

/** Accepts every node and does nothing by itself. Says nothing at all while `silent`. */
export class FakeControl {
  readonly sessions: FakeNodeSession[] = [];
  readonly #server: WebSocketServer;
  readonly #ping: NodeJS.Timeout;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#accept(socket);
    });
    this.#ping = setInterval(() => {
      for (const client of server.clients) client.ping();
    }, 100);
  }

  static async start(): Promise<FakeControl> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return new FakeControl(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#ping);
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: WebSocket): void {
    socket.send(JSON.stringify({ type: 'challenge', nonce: Buffer.alloc(32, 1).toString('base64') }));
    socket.once('message', (data: Buffer) => {
      const registration = nodeRegistration.parse(JSON.parse(data.toString()));
      const nodeId = registration.nodeId ?? `node-${this.sessions.length + 1}`;
      this.sessions.push(new FakeNodeSession(nodeId, registration, socket));
      socket.send(JSON.stringify({ type: 'welcome', nodeId }));
    });
  }
}
