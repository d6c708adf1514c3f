import { CACHE_SLOT_STEP_BYTES } from './limits.js';
import type { SourcePacket } from './source-packet.js';

/** The newest packets of one encoding, in the publisher's numbering. Slots are allocated by their first packet. */
export class PacketCache {
  readonly #capacity: number;
  readonly #slots: (Buffer | undefined)[];
  readonly #indices: Float64Array;
  readonly #arrivals: Float64Array;
  readonly #lengths: Uint16Array;
  readonly #headerLengths: Uint16Array;

  /** @param capacity packets, a power of two */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#slots = new Array<Buffer | undefined>(capacity);
    this.#indices = new Float64Array(capacity).fill(-1);
    this.#arrivals = new Float64Array(capacity);
    this.#lengths = new Uint16Array(capacity);
    this.#headerLengths = new Uint16Array(capacity);
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes that its slots take. */
  get bytes(): number {
    return this.#slots.reduce((total, slot) => total + (slot?.length ?? 0), 0);
  }

  /** Copies the packet. One that is older than what its slot holds is not kept. */
  put(packet: SourcePacket): void {
    const at = packet.index & (this.#capacity - 1);
    if ((this.#indices[at] ?? -1) > packet.index) return;
    let slot = this.#slots[at];
    if (slot === undefined || slot.length < packet.length) {
      const size = Math.ceil(packet.length / CACHE_SLOT_STEP_BYTES) * CACHE_SLOT_STEP_BYTES;
      slot = Buffer.allocUnsafeSlow(size);
      this.#slots[at] = slot;
    }
    packet.bytes.copy(slot, 0, 0, packet.length);
    this.#indices[at] = packet.index;
    this.#arrivals[at] = packet.arrivedAtMicros;
    this.#lengths[at] = packet.length;
    this.#headerLengths[at] = packet.headerLength;
  }

  has(index: number): boolean {
    return this.#indices[index & (this.#capacity - 1)] === index;
  }

  /** Points `packet` at the cached bytes, which stay until the slot is used again. False when it is not there. */
  read(index: number, packet: SourcePacket): boolean {
    const at = index & (this.#capacity - 1);
    const slot = this.#slots[at];
    if (slot === undefined || this.#indices[at] !== index) return false;
    packet.set(slot, this.#headerLengths[at] ?? 0, this.#lengths[at] ?? 0, index, this.#arrivals[at] ?? 0);
    return true;
  }

  /** Time between the oldest and the newest packet held, microseconds. */
  spanMicros(): number {
    let oldest = Infinity;
    let newest = -Infinity;
    for (let at = 0; at < this.#capacity; at += 1) {
      if ((this.#indices[at] ?? -1) < 0) continue;
      const arrival = this.#arrivals[at] ?? 0;
      if (arrival < oldest) oldest = arrival;
      if (arrival > newest) newest = arrival;
    }
    return newest > oldest ? newest - oldest : 0;
  }
}
