import { ICE_DISCONNECTED_GRACE_MS, RESTART_ATTEMPTS_MAX, RESTART_INTERVAL_MS } from '../limits.js';
import { log } from '../log.js';
import type { Platform, Timer } from '../signalling/platform.js';

export interface PathRecoveryDelegate {
  requestRestart(): Promise<unknown>;
  pathChanged(connected: boolean): void;
  pathLost(): void;
}

type State =
  | { kind: 'new' }
  | { kind: 'connected' }
  /** Broken; `attempts` restarts have been asked for. */
  | { kind: 'broken'; attempts: number }
  | { kind: 'closed' };

/** Watches ICE and asks the server for restarts when the path died: bounded, and quiet when it heals by itself. */
export class PathRecovery {
  readonly #platform: Platform;
  readonly #delegate: PathRecoveryDelegate;
  #state: State = { kind: 'new' };
  #timer: Timer | undefined;

  constructor(platform: Platform, delegate: PathRecoveryDelegate) {
    this.#platform = platform;
    this.#delegate = delegate;
  }

  stateChanged(ice: RTCIceConnectionState): void {
    switch (ice) {
      case 'connected':
      case 'completed':
        return this.#healed();
      case 'disconnected':
        return this.#broke(ICE_DISCONNECTED_GRACE_MS);
      case 'failed':
        return this.#broke(0);
      case 'new':
      case 'checking':
      case 'closed':
        return;
    }
  }

  /** The browser says that it is online again: a path that is not healthy is restarted without waiting. */
  networkChanged(ice: RTCIceConnectionState): void {
    if (ice === 'disconnected' || ice === 'failed') this.#broke(0);
  }

  /** Nothing comes any more, whatever ICE says. */
  silent(): void {
    if (this.#state.kind === 'connected') this.#broke(0);
  }

  /** Something comes again, whatever ICE says. */
  heard(): void {
    if (this.#state.kind === 'broken') this.#healed();
  }

  close(): void {
    this.#platform.clearTimer(this.#timer);
    this.#state = { kind: 'closed' };
  }

  #healed(): void {
    const { kind } = this.#state;
    if (kind === 'closed' || kind === 'connected') return;
    this.#platform.clearTimer(this.#timer);
    this.#state = { kind: 'connected' };
    if (kind === 'broken') this.#delegate.pathChanged(true);
  }

  #broke(delayMs: number): void {
    const { kind } = this.#state;
    if (kind === 'closed') return;
    if (kind !== 'broken') {
      this.#state = { kind: 'broken', attempts: 0 };
      if (kind === 'connected') this.#delegate.pathChanged(false);
    }
    this.#restartIn(delayMs);
  }

  #restartIn(delayMs: number): void {
    this.#platform.clearTimer(this.#timer);
    this.#timer = this.#platform.setTimer(() => this.#restart(), delayMs);
  }

  #restart(): void {
    const state = this.#state;
    if (state.kind !== 'broken') return;
    if (state.attempts >= RESTART_ATTEMPTS_MAX) return this.#delegate.pathLost();
    state.attempts += 1;
    this.#delegate.requestRestart().catch((error: unknown) => log.warn('a restart was not granted', error));
    this.#restartIn(RESTART_INTERVAL_MS);
  }
}
