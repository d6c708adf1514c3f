import type { Arrival } from '@godwit/datapath';
import {
  TRANSPORT_CC_DELTA_MS_MAX,
  TRANSPORT_CC_INTERVAL_MS,
  TRANSPORT_CC_LATE_MAX,
  TRANSPORT_CC_STATUSES_MAX,
} from './limits.js';

/** One feedback message: statuses of baseSequence, baseSequence + 1, …; null: not received. */
export interface TransportCcReport {
  readonly feedbackCount: number;
  readonly baseSequence: number;
  /** Arrival times on the transport's feedback clock, microseconds. */
  readonly arrivalsMicros: readonly (number | null)[];
}

/** What moves with the transport: without it the publisher's estimator sees its clock jump (finding, pitfall 6). */
export interface FrozenTransportCc {
  readonly feedbackCount: number;
  /** Lowest number not yet reported; null before the first. */
  readonly nextSequence: number | null;
  /** The feedback clock at freeze, microseconds. */
  readonly clockMicros: number;
}

const SEQUENCE_SPAN = 0x10000;

/** Arrival feedback towards one publisher (draft-holmer-rmcat-transport-wide-cc-extensions-01). */
export class TransportCcReporter {
  #feedbackCount = 0;
  /** Unwrapped. */
  #nextSequence: number | null = null;
  /** Feedback clock minus local clock. */
  #clockOffsetMicros = 0;
  #lastReportMs = Number.NEGATIVE_INFINITY;
  #pending: { sequence: number; atMicros: number }[] = [];

  add(arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      const sequence = this.#unwrap(arrival.sequence);
      if (this.#nextSequence !== null && sequence < this.#nextSequence - TRANSPORT_CC_LATE_MAX) continue;
      this.#pending.push({ sequence, atMicros: arrival.atMicros + this.#clockOffsetMicros });
    }
  }

  /** The messages due now; empty before the interval has passed or when nothing has come. */
  due(nowMs: number): TransportCcReport[] {
    if (this.#pending.length === 0 || nowMs - this.#lastReportMs < TRANSPORT_CC_INTERVAL_MS) return [];
    this.#lastReportMs = nowMs;
    const pending = this.#pending.sort((a, b) => a.sequence - b.sequence);
    this.#pending = [];
    const reports: TransportCcReport[] = [];
    for (const run of splitRuns(pending, this.#nextSequence)) reports.push(this.#report(run));
    return reports;
  }

  freeze(nowMicros: number): FrozenTransportCc {
    return {
      feedbackCount: this.#feedbackCount,
      nextSequence: this.#nextSequence === null ? null : this.#nextSequence % SEQUENCE_SPAN,
      clockMicros: nowMicros + this.#clockOffsetMicros,
    };
  }

  /** `ageMicros`: time that passed between freeze and now, as well as it is known. */
  thaw(nowMicros: number, frozen: FrozenTransportCc, ageMicros: number): void {
    this.#feedbackCount = frozen.feedbackCount;
    this.#nextSequence = frozen.nextSequence === null ? null : frozen.nextSequence + SEQUENCE_SPAN;
    this.#clockOffsetMicros = frozen.clockMicros + ageMicros - nowMicros;
    this.#pending = [];
  }

  #report(run: { from: number; arrivals: { sequence: number; atMicros: number }[] }): TransportCcReport {
    const last = run.arrivals[run.arrivals.length - 1]?.sequence ?? run.from;
    const statuses = new Array<number | null>(last - run.from + 1).fill(null);
    for (const arrival of run.arrivals) statuses[arrival.sequence - run.from] ??= arrival.atMicros;
    this.#nextSequence = Math.max(this.#nextSequence ?? 0, last + 1);
    const feedbackCount = this.#feedbackCount;
    this.#feedbackCount = (feedbackCount + 1) & 0xff;
    return { feedbackCount, baseSequence: run.from % SEQUENCE_SPAN, arrivalsMicros: statuses };
  }

  /** Nearest number to what is expected next. Kept well above zero so that late ones stay positive. */
  #unwrap(sequence: number): number {
    const expected = this.#nextSequence ?? this.#pending[0]?.sequence ?? sequence + SEQUENCE_SPAN;
    let delta = (sequence - expected) % SEQUENCE_SPAN;
    if (delta < -SEQUENCE_SPAN / 2) delta += SEQUENCE_SPAN;
    else if (delta >= SEQUENCE_SPAN / 2) delta -= SEQUENCE_SPAN;
    return expected + delta;
  }
}

type Pending = { sequence: number; atMicros: number };

/** Cuts where a message would grow too long or a delta would not fit. Unreported numbers in front count as lost. */
function splitRuns(pending: Pending[], nextSequence: number | null): { from: number; arrivals: Pending[] }[] {
  const runs: { from: number; arrivals: Pending[] }[] = [];
  let current: { from: number; arrivals: Pending[] } | null = null;
  for (const arrival of pending) {
    const previous = current?.arrivals[current.arrivals.length - 1];
    const fits =
      current !== null &&
      previous !== undefined &&
      arrival.sequence - current.from < TRANSPORT_CC_STATUSES_MAX &&
      Math.abs(arrival.atMicros - previous.atMicros) < TRANSPORT_CC_DELTA_MS_MAX * 1_000;
    if (fits && current !== null) {
      current.arrivals.push(arrival);
      continue;
    }
    const from = current === null ? firstOf(arrival.sequence, nextSequence) : arrival.sequence;
    current = { from, arrivals: [arrival] };
    runs.push(current);
  }
  return runs;
}

function firstOf(sequence: number, nextSequence: number | null): number {
  if (nextSequence === null || sequence <= nextSequence) return sequence;
  return sequence - nextSequence < TRANSPORT_CC_STATUSES_MAX / 2 ? nextSequence : sequence;
}
