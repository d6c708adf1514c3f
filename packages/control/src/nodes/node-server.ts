import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  NODE_CLOSE,
  NODE_MESSAGE_BYTES_MAX,
  NODE_PING_INTERVAL_MS,
  nodeRegistration,
} from '@godwit/protocol';
import { NODES_UNREGISTERED_MAX, NODE_REGISTRATION_TIMEOUT_MS } from '../limits.js';
import { parseJson } from '../json.js';
import { registrationRefusal } from './authentication.js';
import type { NodeSession } from './node-session.js';
import type { NodeRegistry } from './registry.js';

export interface NodeServerOptions {
  readonly registry: NodeRegistry;
  readonly joinKey: string;
  readonly log: Logger;
}

/** The sockets of media nodes: challenge, proof, then commands and events. */
export class NodeServer {
  readonly #options: NodeServerOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: NODE_MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });

  readonly #pings: NodeJS.Timeout;
  readonly #unregistered = new Set<WebSocket>();

  constructor(options: NodeServerOptions) {
    this.#options = options;
    this.#pings = setInterval(() => {
      for (const socket of this.#server.clients) socket.ping();
    }, NODE_PING_INTERVAL_MS);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#unregistered.size >= NODES_UNREGISTERED_MAX) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket));
  }

  close(): void {
    clearInterval(this.#pings);
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #accept(socket: WebSocket): void {
    const nonce = randomBytes(32);
    let session: NodeSession | null = null;
    let registering = false;
    this.#unregistered.add(socket);
    const timer = setTimeout(
      () => socket.close(NODE_CLOSE.malformed, 'no registration'),
      NODE_REGISTRATION_TIMEOUT_MS,
    );
    socket.on('error', (error) => this.#options.log.warn({ error: error.message }, 'node socket failed'));
    socket.on('message', (data: Buffer, binary) => {
      const message = binary ? undefined : parseJson(data);
      if (session !== null) {
        if (!session.receive(message)) {
          this.#options.log.warn({ nodeId: session.nodeId }, 'malformed message from node');
          socket.close(NODE_CLOSE.malformed, 'malformed message');
        }
        return;
      }
      if (registering) return;
      registering = true;
      clearTimeout(timer);
      this.#register(socket, nonce, message)
        .then((registered) => {
          session = registered;
          if (session !== null) this.#unregistered.delete(socket);
        })
        .catch((error: unknown) => {
          this.#options.log.error({ error: String(error) }, 'node registration failed');
          socket.close(1011, 'registration failed');
        });
    });
    socket.on('close', () => {
      clearTimeout(timer);
      this.#unregistered.delete(socket);
      if (session !== null) this.#options.registry.socketClosed(session);
    });
    socket.send(JSON.stringify({ type: 'challenge', nonce: nonce.toString('base64') }));
  }

  async #register(socket: WebSocket, nonce: Buffer, message: unknown): Promise<NodeSession | null> {
    const { registry, joinKey, log } = this.#options;
    const parsed = nodeRegistration.safeParse(message);
    if (!parsed.success) {
      log.warn({ issue: parsed.error.issues[0]?.path.join('.') }, 'malformed node registration');
      socket.close(NODE_CLOSE.malformed, 'malformed registration');
      return null;
    }
    const refusal = registrationRefusal(parsed.data, nonce, joinKey);
    if (refusal !== null) {
      log.warn({ refusal, nodeId: parsed.data.nodeId }, 'node refused');
      socket.close(NODE_CLOSE.badProof, `bad proof: ${refusal}`);
      return null;
    }
    const session = await registry.register(parsed.data, {
      send: (text) => socket.send(text),
      disconnect: () => {
        socket.close(NODE_CLOSE.replaced, 'replaced or silent');
        socket.terminate();
      },
    });
    if (session === null) {
      log.warn({ nodeId: parsed.data.nodeId }, 'node refused: there are too many nodes');
      socket.close(NODE_CLOSE.tooMany, 'there are too many nodes');
      return null;
    }
    // It may have gone while its row was written.
    if (socket.readyState !== socket.OPEN) registry.socketClosed(session);
    return session;
  }
}
