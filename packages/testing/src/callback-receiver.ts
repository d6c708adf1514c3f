import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';

export interface ReceivedCallback {
  readonly event: string;
  readonly sessionId: string;
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/** Answers with a status, or not at all. */
export type Reaction = number | 'hang';

/** An application's server that gets callbacks. */
export class CallbackReceiver {
  readonly received: ReceivedCallback[] = [];
  /** Decides what the next request gets; 204 unless the test says otherwise. */
  react: (received: ReceivedCallback) => Reaction = () => 204;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#take(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<CallbackReceiver> {
    const server = createServer();
    const receiver = new CallbackReceiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/callbacks`;
  }

  /** Names of the events that came, in order. */
  events(sessionId?: string): string[] {
    return this.received
      .filter((received) => sessionId === undefined || received.sessionId === sessionId)
      .map(({ event }) => event);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = JSON.parse(text) as Record<string, unknown>;
    const received: ReceivedCallback = {
      event: String(body['event']),
      sessionId: String(body['sessionId']),
      body,
      text,
      headers: request.headers,
    };
    this.received.push(received);
    const reaction = this.react(received);
    if (reaction !== 'hang') response.writeHead(reaction).end('thank you');
  }
}

/** Claims of a callback's signature. Throws when it is not of that secret, or of another body. */
export async function verifySignature(
  { headers, text }: ReceivedCallback,
  secret: string,
): Promise<Record<string, unknown>> {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  const { payload } = await jwtVerify(token, Buffer.from(secret), { algorithms: ['HS256'] });
  if (payload['payload_hash'] !== createHash('sha256').update(text).digest('hex'))
    throw new Error('the signature is of another body');
  return payload;
}
