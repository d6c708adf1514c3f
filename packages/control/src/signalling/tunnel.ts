import { WebSocket, type RawData } from 'ws';
import { SIGNALLING_PATH } from '@godwit/protocol';
import { KEEPER_ANSWER_MS, KEEPER_WAIT_MS, SIGNALLING_BACKLOG_BYTES_MAX } from '../limits.js';

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
  }

  /**
   * `unreached` when nobody listens there, or whoever does says that it does not keep the session: nothing has come of the message.
   * `unanswered`: something may have.
   */
  static async open(
    client: WebSocket,
    keeperUrl: string,
    first: Buffer,
  ): Promise<Tunnel | 'unreached' | 'unanswered'> {
    const url = new URL(SIGNALLING_PATH, keeperUrl);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    const keeper = new WebSocket(url, {
      headers: { [PASSED_ON_HEADER]: '1' },
      perMessageDeflate: false,
      handshakeTimeout: KEEPER_ANSWER_MS,
    });
    const outcome = await reach(keeper, client, first);
    if (outcome !== 'answered') {
      keeper.terminate();
      return outcome;
    }
    const tunnel = new Tunnel(client, keeper);
    // It may have gone meanwhile.
    if (client.readyState !== client.OPEN) tunnel.close();
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

/** Passes on whatever comes, from the first message on: events may follow the answer at once. */
function reach(
  keeper: WebSocket,
  client: WebSocket,
  first: Buffer,
): Promise<'answered' | 'unreached' | 'unanswered'> {
  return new Promise((resolve) => {
    let outcome: 'answered' | 'unreached' | 'unanswered' = 'unreached';
    // The handshake has a limit of its own; the answer may wait for a database that is slow.
    const timer = setTimeout(() => resolve(outcome), KEEPER_WAIT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    keeper.on('error', settle);
    keeper.once('open', () => {
      outcome = 'unanswered';
      keeper.send(first, { binary: false });
    });
    keeper.on('message', (data) => {
      outcome = 'answered';
      pass(data, client);
      settle();
    });
    keeper.on('close', (code: number, reason: Buffer) => {
      if (outcome === 'answered')
        client.close(isSendable(code) ? code : CLOSE_SERVICE_RESTART, reason.subarray());
      else if (code === CLOSE_NOT_KEPT) outcome = 'unreached';
      settle();
    });
  });
}
