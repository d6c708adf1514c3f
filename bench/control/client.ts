import { once } from 'node:events';
import { WebSocket } from 'ws';
import { SIGNALLING_PATH } from '@godwit/protocol';

/** What a client needs to join. */
export interface Admission {
  readonly apiKey: string;
  readonly sessionId: string;
  readonly token: string;
}

type Message =
  | { readonly replyTo: number; readonly ok: boolean; readonly error?: { readonly name: string } }
  | { readonly event: string; readonly data?: string };

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A signalling client without media, made to cost little: it parses each message once and keeps nothing. */
export class BenchClient {
  /** Hears of each signal. */
  onSignal: (data: string) => void = () => undefined;
  readonly #socket: WebSocket;
  readonly #closed: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#closed = once(socket, 'close').then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the socket has closed'));
      this.#waiting.clear();
    });
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as Message));
  }

  /** Resolves when control has let it in. */
  static async join(url: string, admission: Admission): Promise<BenchClient> {
    const socket = new WebSocket(url.replace('http', 'ws') + SIGNALLING_PATH, { perMessageDeflate: false });
    await once(socket, 'open');
    socket.on('error', () => undefined);
    const client = new BenchClient(socket);
    const fields = { ...admission, sdkVersion: 'bench', sessionMigration: true, pathMethod: 'candidate' };
    await client.#request('connect', fields);
    return client;
  }

  signal(data: string): Promise<void> {
    return this.#request('signal', { data });
  }

  ping(): Promise<void> {
    return this.#request('ping', {});
  }

  /** Resolves when control has closed the socket, as it does once the others are told. */
  async leave(): Promise<void> {
    await this.#request('disconnect', {});
    await this.#closed;
  }

  #request(type: string, fields: object): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...fields, type, id }));
    });
  }

  #take(message: Message): void {
    if ('event' in message) {
      if (message.event === 'signal') this.onSignal(message.data ?? '');
      return;
    }
    const waiting = this.#waiting.get(message.replyTo);
    this.#waiting.delete(message.replyTo);
    if (message.ok) waiting?.resolve();
    else waiting?.reject(new Error(message.error?.name ?? 'refused'));
  }
}
