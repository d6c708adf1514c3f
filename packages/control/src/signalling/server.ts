import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { SIGNALLING_MESSAGE_BYTES_MAX } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { within } from '../deadline.js';
import {
  SIGNALLING_CLOSE_MS,
  SIGNALLING_FIRST_MESSAGE_MS,
  SIGNALLING_SILENCE_MS,
  SIGNALLING_UNIDENTIFIED_MAX,
} from '../limits.js';
import type { Migrations } from '../migration/migrations.js';
import { ClientLink } from './client-link.js';
import { PASSED_ON_HEADER } from './tunnel.js';

/** ws itself closes without a reason: messages a little above the limit are read to be refused in words. */
const PAYLOAD_SLACK_BYTES = 65_536;

/** RFC 6455 7.4.1. */
const CLOSE_GOING_AWAY = 1001;

/** The sockets of clients. */
export class SignallingServer {
  readonly #context: ControlContext;
  readonly #migrations: Migrations;
  readonly #links = new Set<ClientLink>();
  /** Those who have not said who they are. */
  readonly #unidentified = new Set<ClientLink>();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: SIGNALLING_MESSAGE_BYTES_MAX + PAYLOAD_SLACK_BYTES,
    perMessageDeflate: false,
  });

  constructor(context: ControlContext, migrations: Migrations) {
    this.#context = context;
    this.#migrations = migrations;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#unidentified.size >= SIGNALLING_UNIDENTIFIED_MAX) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.#accept(webSocket, PASSED_ON_HEADER in request.headers),
    );
  }

  /** Lets go of sockets that have fallen silent; their clients may resume. */
  tick(nowMs: number): void {
    for (const link of this.#links) {
      const limitMs = link.identified ? SIGNALLING_SILENCE_MS : SIGNALLING_FIRST_MESSAGE_MS;
      if (nowMs - link.heardAtMs > limitMs) link.terminate();
    }
  }

  /** Asks every client to close, and cuts off those that do not answer in time: they would hold up the listener. */
  async close(): Promise<void> {
    const closed = [...this.#server.clients].map((socket) => {
      const gone = once(socket, 'close');
      socket.close(CLOSE_GOING_AWAY, 'the server is going away');
      return gone;
    });
    this.#server.close();
    await within(Promise.allSettled(closed), SIGNALLING_CLOSE_MS, undefined);
    for (const socket of this.#server.clients) socket.terminate();
  }

  #accept(socket: WebSocket, isPassedOn: boolean): void {
    const onIdentified = (): boolean => this.#unidentified.delete(link);
    const origin = { isPassedOn, onIdentified };
    const link: ClientLink = new ClientLink(this.#context, this.#migrations, socket, origin);
    this.#links.add(link);
    this.#unidentified.add(link);
    socket.on('message', (data: Buffer, binary) => link.receive(data, binary));
    socket.on('error', (error) =>
      this.#context.log.debug({ error: error.message }, 'a signalling socket failed'),
    );
    socket.on('close', () => {
      this.#links.delete(link);
      this.#unidentified.delete(link);
      link.closed();
    });
  }
}
