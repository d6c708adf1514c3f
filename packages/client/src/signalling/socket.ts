import { PING_INTERVAL_MS, SOCKET_OPEN_TIMEOUT_MS, SOCKET_SILENCE_MAX_MS } from '../limits.js';
import type { Platform, SocketLike, Timer } from './platform.js';

/** Who hears of one socket; `closed` comes exactly once unless `close` was called. */
export interface SocketObserver {
  opened(): void;
  message(data: unknown): void;
  closed(): void;
}

const PING = JSON.stringify({ type: 'ping', id: 0 });

/** One WebSocket that proves itself by pings: silence for too long counts as closed. */
export class LiveSocket {
  readonly #platform: Platform;
  readonly #observer: SocketObserver;
  readonly #socket: SocketLike;
  #timer: Timer | undefined;
  #heardMs: number;
  #over = false;

  constructor(platform: Platform, url: string, observer: SocketObserver) {
    this.#platform = platform;
    this.#observer = observer;
    this.#heardMs = platform.now();
    this.#timer = platform.setTimer(() => this.#end(), SOCKET_OPEN_TIMEOUT_MS);
    this.#socket = platform.createSocket(url);
    this.#socket.onopen = () => this.#opened();
    this.#socket.onmessage = (event) => this.#message(event.data);
    this.#socket.onclose = () => this.#end();
    this.#socket.onerror = () => this.#end();
  }

  send(text: string): void {
    if (!this.#over) this.#socket.send(text);
  }

  /** Closes without telling the observer. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#platform.clearTimer(this.#timer);
    this.#socket.close(1000);
  }

  #opened(): void {
    if (this.#over) return;
    this.#platform.clearTimer(this.#timer);
    this.#heardMs = this.#platform.now();
    this.#observer.opened();
    this.#scheduleCheck();
  }

  #message(data: unknown): void {
    if (this.#over) return;
    this.#heardMs = this.#platform.now();
    this.#observer.message(data);
  }

  #scheduleCheck(): void {
    if (this.#over) return;
    this.#timer = this.#platform.setTimer(() => {
      if (this.#platform.now() - this.#heardMs > SOCKET_SILENCE_MAX_MS) return this.#end();
      this.#socket.send(PING);
      this.#scheduleCheck();
    }, PING_INTERVAL_MS);
  }

  #end(): void {
    if (this.#over) return;
    this.close();
    this.#observer.closed();
  }
}
