import type { ClientRequestType, ClientResult, ConnectResult, SequencedEvent } from '@godwit/protocol';
import { OTError, otError } from '../errors.js';
import { EVENTS_BUFFERED_MAX, RESUME_GRACE_MS, SOCKET_STABLE_MS } from '../limits.js';
import { log } from '../log.js';
import { backoffMs } from './backoff.js';
import { parseServerMessage } from './guards.js';
import type { Platform, Timer } from './platform.js';
import { PendingRequests } from './requests.js';
import type { RequestBody } from './requests.js';
import { LiveSocket } from './socket.js';

/** Who hears of the link. */
export interface LinkObserver {
  event(event: SequencedEvent): void;
  /** The socket broke; media goes on. */
  reconnecting(): void;
  /** Back. `roster` is there when the server no longer had the missed events and tells everything anew. */
  reconnected(roster: ConnectResult | undefined): void;
  /** The connection is gone for good: the grace is over or the server has forgotten it. */
  lost(): void;
  /** Whether media has a path. While it has, the server's nodes hold the call, and its signalling is worth waiting for. */
  mediaConnected(): boolean;
}

type State =
  | { kind: 'idle' }
  | { kind: 'connecting'; socket: LiveSocket }
  /** `attempt`: how many it took to get here. */
  | { kind: 'open'; socket: LiveSocket; sinceMs: number; attempt: number }
  /** `aliveAtMs`: when signalling broke, or later when media was last seen connected. */
  | { kind: 'away'; aliveAtMs: number; attempt: number; socket?: LiveSocket; timer?: Timer }
  | { kind: 'closed' };

interface Identity {
  connectionId: string;
  resumeToken: string;
}

/** Failures of a resume that the next attempt may not meet; any other means that the server has forgotten us. */
const RESUME_AGAIN_AFTER: ReadonlySet<string> = new Set([
  'OT_TIMEOUT',
  'OT_CONNECT_FAILED',
  'OT_INTERNAL_ERROR',
  'OT_TOO_MANY_REQUESTS',
]);

/**
 * Signalling with the control plane over one WebSocket at a time: requests with answers, ordered events,
 * and resuming by itself. A broken socket touches no media.
 */
export class SignallingLink {
  readonly #platform: Platform;
  readonly #url: string;
  readonly #observer: LinkObserver;
  readonly #requests: PendingRequests;
  #state: State = { kind: 'idle' };
  #identity: Identity | undefined;
  #lastSeq = 0;
  /** Highest number of a signal: a control that knows none of our events tells again what came after it. */
  #lastSignal = 0;
  #held: SequencedEvent[] | undefined = [];

  constructor(platform: Platform, url: string, observer: LinkObserver) {
    this.#platform = platform;
    this.#url = url;
    this.#observer = observer;
    this.#requests = new PendingRequests(platform);
  }

  /** Opens the socket and joins. Events are held until `start`. Fails with the server's error or OT_CONNECT_FAILED. */
  connect(body: RequestBody<'connect'>): Promise<ConnectResult> {
    if (this.#state.kind !== 'idle') throw new Error('a link connects once');
    return new Promise<ConnectResult>((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.close();
        reject(error);
      };
      const socket = new LiveSocket(this.#platform, this.#url, {
        opened: () => {
          const send = (text: string): void => socket.send(text);
          this.#requests.add('connect', body, false, send).then((result) => {
            if (this.#state.kind !== 'connecting') return fail(otError('OT_CONNECT_FAILED'));
            this.#joined(result, socket, 0);
            resolve(result);
          }, fail);
        },
        message: (data) => this.#message(data),
        closed: () => {
          if (this.#state.kind === 'connecting') fail(otError('OT_CONNECT_FAILED'));
          else this.#broke();
        },
      });
      this.#state = { kind: 'connecting', socket };
    });
  }

  /** Lets events through, those held first. */
  start(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#observer.event(event);
  }

  /** Asks the server. While away, requests wait for the socket's return unless `retry` is false. */
  request<T extends ClientRequestType>(
    type: T,
    body: RequestBody<T>,
    options: { retry: boolean } = { retry: true },
  ): Promise<ClientResult<T>> {
    const state = this.#state;
    if (state.kind === 'open') {
      return this.#requests.add(type, body, options.retry, (text) => state.socket.send(text));
    }
    if (state.kind === 'away' && options.retry) return this.#requests.add(type, body, true, undefined);
    return Promise.reject(otError('OT_NOT_CONNECTED'));
  }

  /** Tries again at once (the browser says that it is online). */
  retryNow(): void {
    const state = this.#state;
    if (state.kind !== 'away' || state.socket !== undefined) return;
    this.#platform.clearTimer(state.timer);
    this.#attempt(state);
  }

  /** Ends the link; whatever awaits an answer fails. */
  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if ('socket' in state) state.socket?.close();
    if (state.kind === 'away') this.#platform.clearTimer(state.timer);
    this.#requests.clear(otError('OT_NOT_CONNECTED'));
  }

  #joined(result: ConnectResult, socket: LiveSocket, attempt: number): void {
    this.#identity = { connectionId: result.connection.connectionId, resumeToken: result.resumeToken };
    if (!result.resumed) this.#lastSeq = result.seq;
    // Those that were missed on the way come as events.
    if (this.#state.kind === 'connecting') this.#lastSignal = result.signals;
    this.#state = { kind: 'open', socket, sinceMs: this.#platform.now(), attempt };
  }

  #message(data: unknown): void {
    const message = parseServerMessage(data);
    if (message === undefined) return log.warn('a message of the server is not understood');
    if (message.kind !== 'event') return this.#requests.settle(message);
    const { event } = message;
    // A replay may overlap with what has arrived.
    if (event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq;
    if (event.event === 'signal' && event.number !== undefined)
      this.#lastSignal = Math.max(this.#lastSignal, event.number);
    if (this.#held === undefined) return this.#observer.event(event);
    if (this.#held.length < EVENTS_BUFFERED_MAX) this.#held.push(event);
    else this.#giveUp();
  }

  #broke(): void {
    const open = this.#state;
    if (open.kind !== 'open') return;
    const nowMs = this.#platform.now();
    const attempt = nowMs - open.sinceMs < SOCKET_STABLE_MS ? open.attempt : 0;
    const away: State = { kind: 'away', aliveAtMs: nowMs, attempt };
    this.#state = away;
    this.#requests.interrupt();
    this.#observer.reconnecting();
    if (this.#state === away) this.#schedule(away);
  }

  #schedule(away: Extract<State, { kind: 'away' }>): void {
    const delayMs = backoffMs(away.attempt, this.#platform.random());
    const nowMs = this.#platform.now();
    if (this.#observer.mediaConnected()) away.aliveAtMs = nowMs;
    if (nowMs + delayMs - away.aliveAtMs > RESUME_GRACE_MS) return this.#giveUp();
    away.timer = this.#platform.setTimer(() => this.#attempt(away), delayMs);
  }

  #attempt(away: Extract<State, { kind: 'away' }>): void {
    const identity = this.#identity;
    if (identity === undefined) return this.#giveUp();
    away.attempt += 1;
    const socket = new LiveSocket(this.#platform, this.#url, {
      opened: () => void this.#resume(away, socket, identity),
      message: (data) => this.#message(data),
      closed: () => {
        if (this.#state !== away) return this.#broke();
        delete away.socket;
        this.#requests.interrupt();
        this.#schedule(away);
      },
    });
    away.socket = socket;
  }

  async #resume(
    away: Extract<State, { kind: 'away' }>,
    socket: LiveSocket,
    identity: Identity,
  ): Promise<void> {
    try {
      const body = { ...identity, lastSeq: this.#lastSeq, lastSignal: this.#lastSignal };
      const result = await this.#requests.add('resume', body, false, (text) => socket.send(text));
      if (this.#state !== away) return socket.close();
      if (result.connection.connectionId !== identity.connectionId) return this.#giveUp();
      this.#joined(result, socket, away.attempt);
      this.#observer.reconnected(result.resumed ? undefined : result);
      this.#requests.resend((text) => socket.send(text));
    } catch (error) {
      if (this.#state !== away || away.socket !== socket) return;
      const refused = error instanceof OTError && !RESUME_AGAIN_AFTER.has(error.name);
      log.warn('resuming failed', error instanceof OTError ? error.name : error);
      if (refused) return this.#giveUp();
      socket.close();
      delete away.socket;
      this.#schedule(away);
    }
  }

  #giveUp(): void {
    if (this.#state.kind === 'closed') return;
    this.close();
    this.#observer.lost();
  }
}
