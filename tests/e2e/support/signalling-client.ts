import { once } from 'node:events';
import { WebSocket } from 'ws';
import { SIGNALLING_PATH, type ConnectResult } from '@godwit/protocol';

/** Between two attempts to reach a control that is away. */
const RETRY_MS = 200;

/** Events have no `replyTo`. */
type Reply = { replyTo?: number } & ({ ok: true; result: unknown } | { ok: false; error: { name: string } });

/** A client that joins and leaves, and does nothing else; it comes back by itself, as the SDK does. */
export class SignallingClient {
  readonly #url: string;
  #socket: WebSocket | null = null;
  #joined: ConnectResult | null = null;
  #lastId = 0;
  /** Times that it came back. */
  resumes = 0;

  constructor(url: string) {
    this.#url = url.replace('http', 'ws') + SIGNALLING_PATH;
  }

  get connectionId(): string {
    if (this.#joined === null) throw new Error('the client has not joined');
    return this.#joined.connection.connectionId;
  }

  /** Resolves when control has said yes; rejects when the socket breaks before. */
  async join(fields: {
    readonly apiKey: string;
    readonly sessionId: string;
    readonly token: string;
  }): Promise<void> {
    await this.#open();
    const all = { ...fields, sdkVersion: 'test', sessionMigration: true, pathMethod: 'candidate' };
    this.#joined = (await this.#request('connect', all)) as ConnectResult;
  }

  /** Comes back with the same connection, however long control is away. Rejects when control does not know it. */
  async resume(deadlineMs: number): Promise<void> {
    const { connectionId } = this;
    const resumeToken = this.#joined?.resumeToken ?? '';
    for (;;) {
      try {
        await this.#open();
        await this.#request('resume', { connectionId, resumeToken, lastSeq: 0 });
        this.resumes += 1;
        return;
      } catch (error) {
        if (String(error).includes('OT_NOT_CONNECTED') || Date.now() > deadlineMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async leave(): Promise<void> {
    await this.#request('disconnect', {});
    this.#socket?.terminate();
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  async #open(): Promise<void> {
    const socket = new WebSocket(this.#url);
    socket.on('error', () => undefined);
    this.#socket = socket;
    await Promise.race([
      once(socket, 'open'),
      once(socket, 'close').then(() => Promise.reject(new Error('closed'))),
    ]);
  }

  #request(type: string, fields: object): Promise<unknown> {
    const socket = this.#socket;
    if (socket === null) return Promise.reject(new Error('no socket'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const onMessage = (data: Buffer): void => {
        const reply = JSON.parse(data.toString()) as Reply;
        if (reply.replyTo !== id) return;
        settle();
        if (reply.ok) resolve(reply.result);
        else reject(new Error(reply.error.name));
      };
      const onClose = (): void => {
        settle();
        reject(new Error('closed'));
      };
      const settle = (): void => {
        socket.off('message', onMessage);
        socket.off('close', onClose);
      };
      socket.on('message', onMessage);
      socket.on('close', onClose);
      socket.send(JSON.stringify({ ...fields, type, id }));
    });
  }
}
