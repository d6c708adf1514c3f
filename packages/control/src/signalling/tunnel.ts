import { WebSocket, type RawData } from 'ws';
import { SIGNALLING_PATH } from '@godwit/protocol';
import { KEEPER_ANSWER_MS, SIGNALLING_BACKLOG_BYTES_MAX } from '../limits.js';

/** Tells the next control that it is not to pass the client on once more. */
export const PASSED_ON_HEADER = 'x-godwit-passed-on';
/** Whoever was asked does not keep the session (any more). */
export const CLOSE_NOT_KEPT = 4421;
/** RFC 6455 7.4.1 and the IANA registry: the client is to come again. */
const CLOSE_SERVICE_RESTART = 1012;
/** Codes that may be sent (RFC 6455 7.4). */
const isSendable = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);

/** A client whose session another control keeps: everything is passed on as it is, and so is the end. */
export class Tunnel {
  readonly #client: WebSocket;
  readonly #keeper: WebSocket;

  private constructor(client: WebSocket, keeper: WebSocket) {
    this.#client = client;
    this.#keeper = keeper;
    keeper.on('message', (data) => pass(data, client));
    keeper.on('close', (code: number, reason: Buffer) => {
      client.close(isSendable(code) ? code : CLOSE_SERVICE_RESTART, reason.subarray());
    });
  }

  /** Null when nobody answered there, or whoever did does not keep the session: nothing has come of the message. */
  static async open(client: WebSocket, keeperUrl: string, first: Buffer): Promise<Tunnel | null> {
    const url = new URL(SIGNALLING_PATH, keeperUrl);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    const keeper = new WebSocket(url, {
      headers: { [PASSED_ON_HEADER]: '1' },
      perMessageDeflate: false,
      handshakeTimeout: KEEPER_ANSWER_MS,
    });
    const answer = await firstMessage(keeper, first);
    if (answer === null) {
      keeper.terminate();
      return null;
    }
    const tunnel = new Tunnel(client, keeper);
    pass(answer, client);
    // Either may have gone meanwhile.
    if (client.readyState !== client.OPEN) tunnel.close();
    else if (keeper.readyState !== keeper.OPEN) client.close(CLOSE_SERVICE_RESTART);
    return tunnel;
  }

  /** What the client says. */
  send(data: Buffer, binary: boolean): void {
    if (this.#keeper.readyState !== this.#keeper.OPEN) return;
    if (this.#keeper.bufferedAmount > SIGNALLING_BACKLOG_BYTES_MAX) this.#client.terminate();
    else this.#keeper.send(data, { binary });
  }

  /** The client has gone. */
  close(): void {
    this.#keeper.terminate();
  }
}

/** Messages of control are text. A client that does not read is cut off, and may resume. */
function pass(data: RawData, client: WebSocket): void {
  if (client.readyState !== client.OPEN) return;
  if (client.bufferedAmount > SIGNALLING_BACKLOG_BYTES_MAX) client.terminate();
  else client.send(data, { binary: false });
}

function firstMessage(keeper: WebSocket, request: Buffer): Promise<RawData | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), KEEPER_ANSWER_MS);
    const settle = (answer: RawData | null): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    keeper.on('error', () => settle(null));
    keeper.once('close', () => settle(null));
    keeper.once('open', () => keeper.send(request, { binary: false }));
    keeper.once('message', (data) => settle(data));
  });
}
