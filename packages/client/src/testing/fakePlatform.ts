import type { Platform, SocketLike, Timer } from '../signalling/platform.js';

/** A socket whose other end is the test. */
export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  readonly sent: Record<string, unknown>[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closed = true;
  }

  /** Delivers a message of the server. */
  deliver(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** Answers the last request of a type. */
  answer(type: string, result: unknown): void {
    const request = this.sent.findLast((message) => message.type === type);
    this.deliver({ replyTo: request?.id, ok: true, result });
  }

  /** The network takes the socket away. */
  break(): void {
    this.onclose?.({ code: 1006, reason: '' });
  }
}

interface Scheduled {
  atMs: number;
  run(): void;
}

/** A clock and timers that the test turns, and sockets that it answers. */
export class FakePlatform implements Platform {
  readonly sockets: FakeSocket[] = [];
  #nowMs = 0;
  #timers: Scheduled[] = [];

  now(): number {
    return this.#nowMs;
  }

  random(): number {
    return 0.5;
  }

  setTimer(run: () => void, delayMs: number): Timer {
    const scheduled = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(scheduled);
    return scheduled as unknown as Timer;
  }

  clearTimer(timer: Timer | undefined): void {
    this.#timers = this.#timers.filter((scheduled) => scheduled !== (timer as unknown));
  }

  createSocket(): SocketLike {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was made');
    return socket;
  }

  /** Turns the clock, running timers in order; promises settle between them. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((scheduled) => scheduled !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets promise reactions run. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
