import { buildTransportFeedback, type TransportFeedback } from '@godwit/rtp';

/** libwebrtc reports every 50 to 250 ms; a receiver of little media reports seldom. */
const INTERVAL_MS = 100;
/** Arrivals of one report; with more the rest waits for the next. */
const ARRIVALS_MAX = 1_024;

/** A receiver's side of transport-wide congestion control: says when each packet came. */
export class TransportCcFeedback {
  #arrivals: { sequence: number; atMicros: number }[] = [];
  #feedbackCount = 0;
  #nextSequence: number | undefined;
  #reportedMs = Number.NEGATIVE_INFINITY;

  note(nowMs: number, sequence: number): void {
    if (this.#arrivals.length < ARRIVALS_MAX)
      this.#arrivals.push({ sequence, atMicros: Math.round(nowMs * 1_000) });
  }

  /** Messages that are due now. */
  due(nowMs: number, senderSsrc: number, mediaSsrc: number): TransportFeedback[] {
    if (this.#arrivals.length === 0 || nowMs - this.#reportedMs < INTERVAL_MS) return [];
    this.#reportedMs = nowMs;
    const messages = buildTransportFeedback({
      senderSsrc,
      mediaSsrc,
      feedbackCount: this.#feedbackCount,
      arrivals: this.#arrivals,
      ...(this.#nextSequence === undefined ? {} : { nextSequence: this.#nextSequence }),
    });
    this.#arrivals = [];
    this.#feedbackCount = (this.#feedbackCount + messages.length) % 0x100;
    const last = messages.at(-1);
    if (last !== undefined) this.#nextSequence = (last.baseSequence + last.arrivalsMicros.length) % 0x10000;
    return messages;
  }
}
