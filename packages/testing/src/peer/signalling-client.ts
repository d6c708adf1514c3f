import { WebSocket } from 'ws';
import {
  SIGNALLING_PATH,
  SIGNALLING_PING_INTERVAL_MS,
  type ClientRequest,
  type ClientRequestType,
  type ClientResult,
  type SequencedEvent,
  type ServerMessage,
  type SignallingError,
} from '@godwit/protocol';

type Fields<T extends ClientRequestType> = Omit<Extract<ClientRequest, { type: T }>, 'type' | 'id'>;

/** A request that the server refused. */
export class RefusedRequest extends Error {
  readonly code: number;
  constructor({ code, name, message }: SignallingError) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

export interface SignallingHandler {
  event(event: SequencedEvent): void;
  /** The socket is gone, for whatever reason. */
  closed(): void;
}

/** Control's signalling protocol over one WebSocket: requests, answers, events. It does not resume by itself. */
export class SignallingClient {
  readonly #socket: WebSocket;
  readonly #handler: SignallingHandler;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  readonly #pinging: NodeJS.Timeout;
  #lastId: number;
  #lastSeq: number;

  private constructor(socket: WebSocket, handler: SignallingHandler, lastId: number, lastSeq: number) {
    this.#socket = socket;
    this.#handler = handler;
    this.#lastId = lastId;
    this.#lastSeq = lastSeq;
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString()) as ServerMessage));
    socket.on('close', () => this.#closed());
    socket.on('error', () => undefined);
    this.#pinging = setInterval(() => {
      this.request('ping', {}).catch(() => undefined);
    }, SIGNALLING_PING_INTERVAL_MS);
  }

  /** `url`: of control, http. `lastId`, `lastSeq`: of an earlier socket of the same connection, when it resumes. */
  static async open(
    url: string,
    handler: SignallingHandler,
    lastId = 0,
    lastSeq = 0,
  ): Promise<SignallingClient> {
    const socket = new WebSocket(url.replace(/^http/, 'ws') + SIGNALLING_PATH, { perMessageDeflate: false });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new SignallingClient(socket, handler, lastId, lastSeq);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }
  get lastId(): number {
    return this.#lastId;
  }
  /** `seq` of the last event that came, or was contained in the answer to connect. */
  get lastSeq(): number {
    return this.#lastSeq;
  }
  set lastSeq(seq: number) {
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  /** Rejects with a RefusedRequest, or when the socket closes first. */
  request<T extends ClientRequestType>(type: T, fields: Fields<T>): Promise<ClientResult<T>> {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN)
        return reject(new Error('the signalling socket is closed'));
      this.#waiting.set(id, { resolve: (result) => resolve(result as ClientResult<T>), reject });
      this.#socket.send(JSON.stringify({ ...fields, type, id }));
    });
  }

  /** Cuts the socket off, as a broken network does. */
  drop(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }

  #receive(message: ServerMessage): void {
    if ('event' in message) {
      // A replay may overlap with what has come.
      if (message.seq > this.#lastSeq) {
        this.#lastSeq = message.seq;
        this.#handler.event(message);
      }
      return;
    }
    const waiting = this.#waiting.get(message.replyTo ?? -1);
    if (waiting === undefined) return;
    this.#waiting.delete(message.replyTo ?? -1);
    if (message.ok) waiting.resolve(message.result);
    else waiting.reject(new RefusedRequest(message.error));
  }

  #closed(): void {
    clearInterval(this.#pinging);
    for (const { reject } of this.#waiting.values()) reject(new Error('the signalling socket closed'));
    this.#waiting.clear();
    this.#handler.closed();
  }
}
