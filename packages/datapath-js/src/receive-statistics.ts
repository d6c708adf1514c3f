/** What receiver reports say of one SSRC (RFC 3550 A.3 and A.8). Retransmissions do not count. */
export class ReceiveStatistics {
  packets = 0;
  /** Interarrival jitter, RTP clock units. */
  jitter = 0;
  #baseIndex = -1;
  highestIndex = -1;
  #lastTransit: number | null = null;

  /** @param clockRate RTP clock of the payload, Hz */
  add(index: number, timestamp: number, arrivedAtMicros: number, clockRate: number): void {
    this.packets += 1;
    if (this.#baseIndex < 0) this.#baseIndex = index;
    if (index > this.highestIndex) this.highestIndex = index;
    const transit = (arrivedAtMicros * clockRate) / 1_000_000 - timestamp;
    if (this.#lastTransit !== null) {
      const distance = Math.abs(transit - this.#lastTransit);
      // A wrap of the 32-bit timestamp or a restart of its clock is no jitter.
      if (distance < clockRate * 60) this.jitter += (distance - this.jitter) / 16;
    }
    this.#lastTransit = transit;
  }

  /** Expected minus received since the first packet; negative with duplicates (RFC 3550 6.4.1). */
  get lost(): number {
    return this.#baseIndex < 0 ? 0 : this.highestIndex - this.#baseIndex + 1 - this.packets;
  }
}
