import { ARRIVALS_MAX, type Arrival } from '@godwit/datapath';

/** Transport-wide numbers and arrival times not yet reported. Allocated by the first; when full the oldest goes. */
export class ArrivalRing {
  #sequences: Uint16Array | null = null;
  #micros: Float64Array | null = null;
  #first = 0;
  #count = 0;

  /** False when the oldest had to go. */
  add(sequence: number, atMicros: number): boolean {
    this.#sequences ??= new Uint16Array(ARRIVALS_MAX);
    this.#micros ??= new Float64Array(ARRIVALS_MAX);
    const slot = (this.#first + this.#count) % ARRIVALS_MAX;
    this.#sequences[slot] = sequence;
    this.#micros[slot] = atMicros;
    if (this.#count < ARRIVALS_MAX) {
      this.#count += 1;
      return true;
    }
    this.#first = (this.#first + 1) % ARRIVALS_MAX;
    return false;
  }

  /** All of them in order of arrival; afterwards it is empty. */
  take(): Arrival[] {
    const arrivals: Arrival[] = [];
    for (let at = 0; at < this.#count; at += 1) {
      const slot = (this.#first + at) % ARRIVALS_MAX;
      arrivals.push({ sequence: this.#sequences?.[slot] ?? 0, atMicros: this.#micros?.[slot] ?? 0 });
    }
    this.#first = 0;
    this.#count = 0;
    return arrivals;
  }
}
