import type { ClientRequest, ClientRequestType, ClientResult } from '@godwit/protocol';
import { fromSignallingError, otError } from '../errors.js';
import type { OTError } from '../errors.js';
import { MESSAGE_BYTES_MAX, REQUESTS_PENDING_MAX, REQUEST_TIMEOUT_MS, RESENDS_MAX } from '../limits.js';
import { isConnectResult, isCreateStreamResult, isOfferResult } from './guards.js';
import type { ParsedMessage } from './guards.js';
import type { Platform, Timer } from './platform.js';

/** A request without its type and id. */
export type RequestBody<T extends ClientRequestType> = Omit<
  Extract<ClientRequest, { type: T }>,
  'type' | 'id'
>;

interface Pending {
  type: ClientRequestType;
  text: string;
  /** Sent again on the next socket when this one breaks. */
  retry: boolean;
  resends: number;
  timer: Timer | undefined;
  resolve(result: unknown): void;
  reject(error: OTError): void;
}

function isResultOf(type: ClientRequestType, result: unknown): boolean {
  switch (type) {
    case 'connect':
    case 'resume':
      return isConnectResult(result);
    case 'createStream':
      return isCreateStreamResult(result);
    case 'offer':
      return isOfferResult(result);
    default:
      return true;
  }
}

/** The server counts bytes; a character has at most three. */
function isTooLarge(text: string): boolean {
  if (text.length * 3 <= MESSAGE_BYTES_MAX) return false;
  return new TextEncoder().encode(text).length > MESSAGE_BYTES_MAX;
}

/** Requests that await their answers, in the order of asking. Number 0 is kept for pings. */
export class PendingRequests {
  readonly #platform: Platform;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Adds a request; `send` gets its text at once when there is a socket, later by `resend`. */
  add<T extends ClientRequestType>(
    type: T,
    body: RequestBody<T>,
    retry: boolean,
    send: ((text: string) => void) | undefined,
  ): Promise<ClientResult<T>> {
    if (this.#pending.size >= REQUESTS_PENDING_MAX) {
      return Promise.reject(otError('OT_TIMEOUT', 'Too many requests await an answer.'));
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const text = JSON.stringify({ type, id, ...body });
    if (isTooLarge(text)) return Promise.reject(otError('OT_INVALID_PARAMETER', 'The request is too large.'));
    return new Promise<ClientResult<T>>((resolve, reject) => {
      const settle = resolve as (result: unknown) => void; // isResultOf has checked its shape
      const pending: Pending = { type, text, retry, resends: 0, timer: undefined, resolve: settle, reject };
      this.#pending.set(id, pending);
      if (send !== undefined) this.#send(id, pending, send);
    });
  }

  /** Takes a reply; one that nobody awaits (too late) is dropped. */
  settle(message: Extract<ParsedMessage, { kind: 'result' | 'error' }>): void {
    if (message.replyTo === null) return;
    const pending = this.#take(message.replyTo);
    if (pending === undefined) return;
    if (message.kind === 'error') pending.reject(fromSignallingError(message.error));
    else if (isResultOf(pending.type, message.result)) pending.resolve(message.result);
    else pending.reject(otError('OT_UNEXPECTED_SERVER_RESPONSE'));
  }

  /** The socket broke: what may not be repeated fails, the rest waits for `resend`. */
  interrupt(): void {
    for (const [id, pending] of this.#pending) {
      this.#platform.clearTimer(pending.timer);
      pending.timer = undefined;
      if (!pending.retry)
        this.#take(id)?.reject(otError('OT_NOT_CONNECTED', 'The connection broke meanwhile.'));
    }
  }

  /** Sends everything again, in the old order and with the old ids; what was repeated too often fails. */
  resend(send: (text: string) => void): void {
    for (const [id, pending] of this.#pending) {
      pending.resends += 1;
      if (pending.resends > RESENDS_MAX) this.#take(id)?.reject(otError('OT_TIMEOUT'));
      else this.#send(id, pending, send);
    }
  }

  /** Fails everything; the link is over. */
  clear(error: OTError): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  #send(id: number, pending: Pending, send: (text: string) => void): void {
    this.#platform.clearTimer(pending.timer);
    pending.timer = this.#platform.setTimer(
      () => this.#take(id)?.reject(otError('OT_TIMEOUT')),
      REQUEST_TIMEOUT_MS,
    );
    send(pending.text);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    this.#platform.clearTimer(pending?.timer);
    return pending;
  }
}
