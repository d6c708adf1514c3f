import { TRANSPORT_FEEDBACK_STATUSES_WRITTEN_MAX } from '../limits.js';
import { extendSequence } from '../rtp/serial.js';
import type { FeedbackSources } from './feedback.js';
import { DELTA_MICROS, isDeltaRepresentable, REFERENCE_TIME_MICROS } from './transport-feedback.js';
import type { TransportFeedback } from './transport-feedback.js';

const REFERENCE_TIME_MODULUS = 2 ** 24;
/** Keeps extended numbers positive when the first arrival is not the oldest. */
const EXTENSION_BASE = 0x10000;

export interface TransportFeedbackInit extends FeedbackSources {
  /** Count of the first feedback; the next call goes on with this plus the number of packets returned. */
  readonly feedbackCount: number;
  /** In any order, 16-bit numbers that span less than 2^15; of duplicates the first counts. */
  readonly arrivals: readonly { readonly sequence: number; readonly atMicros: number }[];
  /**
   * Number after the last one reported: what is missing between it and the first arrival is reported as lost.
   * Ignored when it lies further back than one feedback can tell.
   */
  readonly nextSequence?: number;
}

/**
 * Makes feedback of arrivals (any clock, microseconds, not negative). Several packets come out when the statuses are
 * more than TRANSPORT_FEEDBACK_STATUSES_WRITTEN_MAX or a step of time does not fit 16 bits.
 */
export function buildTransportFeedback(init: TransportFeedbackInit): TransportFeedback[] {
  const arrivals = sortArrivals(init.arrivals);
  const first = arrivals[0];
  if (first === undefined) return [];
  const packets: TransportFeedback[] = [];
  let open = openFeedback(firstSequence(first.sequence, init.nextSequence), first.atMicros);
  const close = () => {
    packets.push({
      type: 'transportFeedback',
      senderSsrc: init.senderSsrc,
      mediaSsrc: init.mediaSsrc,
      baseSequence: open.base % 0x10000,
      feedbackCount: (init.feedbackCount + packets.length) % 0x100,
      referenceTime: open.reference % REFERENCE_TIME_MODULUS,
      arrivalsMicros: open.statuses,
    });
  };
  for (const arrival of arrivals) {
    if (!fits(open, arrival)) {
      close();
      const next = open.base + open.statuses.length;
      const base =
        arrival.sequence - next < TRANSPORT_FEEDBACK_STATUSES_WRITTEN_MAX ? next : arrival.sequence;
      open = openFeedback(base, arrival.atMicros);
    }
    while (open.base + open.statuses.length < arrival.sequence) open.statuses.push(null);
    const micros = arrival.atMicros - open.reference * REFERENCE_TIME_MICROS;
    open.lastMicros = Math.round(micros / DELTA_MICROS) * DELTA_MICROS;
    open.statuses.push(open.lastMicros);
  }
  close();
  return packets;
}

interface Arrival {
  /** Extended. */
  readonly sequence: number;
  readonly atMicros: number;
}

interface OpenFeedback {
  readonly base: number;
  /** In units of REFERENCE_TIME_MICROS. */
  readonly reference: number;
  readonly statuses: (number | null)[];
  lastMicros: number;
}

function openFeedback(base: number, firstArrivalMicros: number): OpenFeedback {
  return {
    base,
    reference: Math.floor(firstArrivalMicros / REFERENCE_TIME_MICROS),
    statuses: [],
    lastMicros: 0,
  };
}

function fits(open: OpenFeedback, arrival: Arrival): boolean {
  if (arrival.sequence - open.base >= TRANSPORT_FEEDBACK_STATUSES_WRITTEN_MAX) return false;
  return isDeltaRepresentable(open.lastMicros, arrival.atMicros - open.reference * REFERENCE_TIME_MICROS);
}

function sortArrivals(arrivals: TransportFeedbackInit['arrivals']): Arrival[] {
  const bySequence = new Map<number, Arrival>();
  let reference = EXTENSION_BASE + (arrivals[0]?.sequence ?? 0);
  for (const { sequence, atMicros } of arrivals) {
    const extended = extendSequence(reference, sequence);
    reference = Math.max(reference, extended);
    if (!bySequence.has(extended)) bySequence.set(extended, { sequence: extended, atMicros });
  }
  return [...bySequence.values()].sort((left, right) => left.sequence - right.sequence);
}

function firstSequence(oldestArrival: number, nextSequence: number | undefined): number {
  if (nextSequence === undefined) return oldestArrival;
  const next = extendSequence(oldestArrival, nextSequence);
  const missing = oldestArrival - next;
  return missing > 0 && missing < TRANSPORT_FEEDBACK_STATUSES_WRITTEN_MAX ? next : oldestArrival;
}
