/** The part of a WebSocket that the SDK uses. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Handle of a timer; only ever given back to `clearTimer`. */
export type Timer = ReturnType<typeof setTimeout>;

/** Clock, chance, timers and sockets: passed in, so that tests own them. */
export interface Platform {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  setTimer(run: () => void, delayMs: number): Timer;
  clearTimer(timer: Timer | undefined): void;
  createSocket(url: string): SocketLike;
}

/** The browser's own. */
export const browserPlatform: Platform = {
  now: () => performance.now(),
  random: () => Math.random(),
  setTimer: (run, delayMs) => setTimeout(run, delayMs),
  clearTimer: (timer) => clearTimeout(timer),
  createSocket: (url) => new WebSocket(url) as SocketLike,
};
