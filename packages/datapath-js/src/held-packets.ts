import { HELD_PACKETS_MAX } from '@godwit/datapath';
import type { Origin } from './origin.js';

export interface HeldPacket {
  readonly bytes: Buffer;
  readonly arrivedAtMicros: number;
  readonly origin: Origin;
}

/** Packets of a client whose owner is undecided, in order of arrival. When full, the newest is refused. */
export class HeldPackets {
  #packets: HeldPacket[] = [];

  get size(): number {
    return this.#packets.length;
  }

  /** False when full. */
  add(packet: HeldPacket): boolean {
    if (this.#packets.length >= HELD_PACKETS_MAX) return false;
    this.#packets.push(packet);
    return true;
  }

  /** All of them; afterwards it is empty. */
  take(): HeldPacket[] {
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }

  clear(): void {
    this.#packets = [];
  }
}
