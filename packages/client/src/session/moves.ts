import type { GapReport, SequencedEvent } from '@godwit/protocol';
import type { AnnouncedCandidate } from '../connection/mediaConnection.js';
import type { RestartOffer } from '../connection/negotiator.js';
import type { FrameTimeline } from '../gap/frameTimeline.js';
import { GapMonitor } from '../gap/gapMonitor.js';
import { log } from '../log.js';
import type { Platform } from '../signalling/platform.js';
import type { StatsSource } from '../stats/selectStats.js';

export interface MovesDelegate {
  addCandidates(candidates: readonly AnnouncedCandidate[]): Promise<void>;
  restart(offer: RestartOffer): void;
  getStats(): Promise<StatsSource>;
  report(report: GapReport): Promise<unknown>;
  migrationStarted(moveId: string): void;
  migrationMeasured(report: GapReport): void;
}

/** The client's part in moves of its transport: takes the new path, and measures what the page sees of it. */
export class Moves {
  readonly #delegate: MovesDelegate;
  readonly #monitor: GapMonitor;
  readonly #visibilityChanged: () => void;

  constructor(platform: Platform, delegate: MovesDelegate) {
    this.#delegate = delegate;
    this.#monitor = new GapMonitor(platform, {
      getStats: () => delegate.getStats(),
      measured: (report) => this.#measured(report),
    });
    this.#visibilityChanged = () => this.#monitor.visibilityChanged(document.visibilityState === 'hidden');
    this.#visibilityChanged();
    document.addEventListener('visibilitychange', this.#visibilityChanged);
  }

  /** Takes an event of the server; false when it is not about moves. */
  take(event: SequencedEvent): boolean {
    switch (event.event) {
      case 'moveCandidate':
        this.#begin(event.moveId);
        void this.#delegate.addCandidates(event.candidates);
        return true;
      case 'restartOffer':
        if (event.moveId !== undefined) this.#begin(event.moveId);
        this.#delegate.restart({ restartId: event.restartId, sdp: event.sdp });
        return true;
      case 'moveEnded':
        this.#monitor.end(event.moveId);
        return true;
      default:
        return false;
    }
  }

  /** A timeline for a new subscriber's frames. */
  watch(): FrameTimeline {
    return this.#monitor.watch();
  }

  unwatch(timeline: FrameTimeline): void {
    this.#monitor.unwatch(timeline);
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#visibilityChanged);
    this.#monitor.close();
  }

  #begin(moveId: string): void {
    if (this.#monitor.begin(moveId)) this.#delegate.migrationStarted(moveId);
  }

  #measured(report: GapReport): void {
    this.#delegate
      .report(report)
      .catch((error: unknown) => log.warn('the measured gap could not be reported', error));
    this.#delegate.migrationMeasured(report);
  }
}
