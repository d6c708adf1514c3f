import type { Arrival } from '@godwit/datapath';
import { buildTransportFeedback, type TransportFeedback } from '@godwit/rtp';
import { TRANSPORT_CC_INTERVAL_MS, TRANSPORT_CC_LATE_MAX } from './limits.js';

/** What moves with the transport: without it the publisher's estimator would see its clock jump and slow down. */
export interface FrozenTransportCc {
  /** 8 bits. */
  readonly feedbackCount: number;
  /** Number after the last one reported; null before the first report. */
  readonly nextSequence: number | null;
  /** The feedback clock at freeze, microseconds. */
  readonly clockMicros: number;
}

const SEQUENCE_SPAN = 0x10000;

/** Arrival feedback towards one publisher (draft-holmer-rmcat-transport-wide-cc-extensions-01). */
export class TransportCcReporter {
  #feedbackCount = 0;
  #nextSequence: number | null = null;
  /** Feedback clock minus local clock. */
  #clockOffsetMicros = 0;
  #lastReportMs = Number.NEGATIVE_INFINITY;

  isDue(nowMs: number): boolean {
    return nowMs - this.#lastReportMs >= TRANSPORT_CC_INTERVAL_MS;
  }

  /** The messages for these arrivals (local clock); numbers far behind the last report are left out. */
  report(
    nowMs: number,
    arrivals: readonly Arrival[],
    sources: { readonly senderSsrc: number; readonly mediaSsrc: number },
  ): TransportFeedback[] {
    const next = this.#nextSequence;
    const useful = arrivals.filter(
      ({ sequence }) => next === null || behind(sequence, next) <= TRANSPORT_CC_LATE_MAX,
    );
    if (useful.length === 0) return [];
    this.#lastReportMs = nowMs;
    const reports = buildTransportFeedback({
      ...sources,
      feedbackCount: this.#feedbackCount,
      arrivals: useful.map(({ sequence, atMicros }) => ({
        sequence,
        atMicros: atMicros + this.#clockOffsetMicros,
      })),
      ...(next === null ? {} : { nextSequence: next }),
    });
    this.#feedbackCount = (this.#feedbackCount + reports.length) & 0xff;
    for (const { baseSequence, arrivalsMicros } of reports) {
      const end = (baseSequence + arrivalsMicros.length) % SEQUENCE_SPAN;
      if (this.#nextSequence === null || behind(end, this.#nextSequence) < 0) this.#nextSequence = end;
    }
    return reports;
  }

  freeze(nowMicros: number): FrozenTransportCc {
    return {
      feedbackCount: this.#feedbackCount,
      nextSequence: this.#nextSequence,
      clockMicros: nowMicros + this.#clockOffsetMicros,
    };
  }

  /** `ageMicros`: time that passed between freeze and now, as well as it is known. */
  thaw(nowMicros: number, frozen: FrozenTransportCc, ageMicros: number): void {
    this.#feedbackCount = frozen.feedbackCount;
    this.#nextSequence = frozen.nextSequence;
    this.#clockOffsetMicros = frozen.clockMicros + ageMicros - nowMicros;
  }
}

/** How far `sequence` lies behind `reference`, modulo 2^16: negative when it lies ahead. */
function behind(sequence: number, reference: number): number {
  const distance = (reference - sequence) & 0xffff;
  return distance < SEQUENCE_SPAN / 2 ? distance : distance - SEQUENCE_SPAN;
}
