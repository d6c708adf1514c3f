import { LINK_CLOCK_SAMPLES } from '../limits.js';

/** First byte of a link message that carries a ping or its answer. */
export const CLOCK_MESSAGE_CLASS = 2;
const PING = 0;
const PONG = 1;
const PING_BYTES = 10;
const PONG_BYTES = 18;

/**
 * Round trip and clock offset of one link, by pings. The sample with the smallest round trip of the last
 * LINK_CLOCK_SAMPLES counts (queueing only ever lengthens a round trip). Clocks are the datapaths', microseconds.
 */
export class LinkClock {
  /** Pings that wait for their answers: nobody else's, and none twice, since the fastest answer counts. */
  #pings: number[] = [];
  #samples: { roundTripMicros: number; offsetMicros: number }[] = [];

  /** The peer's clock minus ours; null before the first answer. */
  get offsetMicros(): number | null {
    return this.#best()?.offsetMicros ?? null;
  }

  get roundTripMs(): number | null {
    const best = this.#best();
    return best === undefined ? null : best.roundTripMicros / 1_000;
  }

  ping(nowMicros: number): Buffer {
    const out = Buffer.alloc(PING_BYTES);
    out[0] = CLOCK_MESSAGE_CLASS;
    out[1] = PING;
    out.writeDoubleBE(nowMicros, 2);
    this.#pings = [...this.#pings, nowMicros].slice(-LINK_CLOCK_SAMPLES);
    return out;
  }

  /** Returns the answer to send, or null when the message was an answer or malformed. */
  receive(nowMicros: number, bytes: Buffer): Buffer | null {
    if (bytes[1] === PING && bytes.length === PING_BYTES) {
      const out = Buffer.alloc(PONG_BYTES);
      out[0] = CLOCK_MESSAGE_CLASS;
      out[1] = PONG;
      bytes.copy(out, 2, 2, PING_BYTES);
      out.writeDoubleBE(nowMicros, 10);
      return out;
    }
    if (bytes[1] === PONG && bytes.length === PONG_BYTES) {
      this.#sample(nowMicros, bytes.readDoubleBE(2), bytes.readDoubleBE(10));
    }
    return null;
  }

  #sample(nowMicros: number, sentMicros: number, peerMicros: number): void {
    if (!this.#pings.includes(sentMicros)) return;
    this.#pings = this.#pings.filter((ping) => ping !== sentMicros);
    const roundTripMicros = nowMicros - sentMicros;
    if (roundTripMicros < 0 || !Number.isFinite(roundTripMicros) || !Number.isFinite(peerMicros)) return;
    this.#samples.push({ roundTripMicros, offsetMicros: peerMicros - (sentMicros + roundTripMicros / 2) });
    if (this.#samples.length > LINK_CLOCK_SAMPLES) this.#samples.shift();
  }

  #best(): { roundTripMicros: number; offsetMicros: number } | undefined {
    let best = this.#samples[0];
    for (const sample of this.#samples) {
      if (best === undefined || sample.roundTripMicros < best.roundTripMicros) best = sample;
    }
    return best;
  }
}
