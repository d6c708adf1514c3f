import { UNPROVEN_HELD_BYTES_MAX, UNPROVEN_HELD_MS } from '@godwit/datapath';

interface Held {
  readonly bytes: Buffer;
  readonly atMicros: number;
}

/** Ciphertext for an address that has not proven itself, in order. When full, the newest is refused. */
export class HeldCiphertext {
  #packets: Held[] = [];
  #bytes = 0;

  get size(): number {
    return this.#packets.length;
  }

  /** Keeps a copy. False when full. */
  add(bytes: Buffer, nowMicros: number): boolean {
    this.#forgetOld(nowMicros);
    if (this.#bytes + bytes.length > UNPROVEN_HELD_BYTES_MAX) return false;
    this.#packets.push({ bytes: Buffer.from(bytes), atMicros: nowMicros });
    this.#bytes += bytes.length;
    return true;
  }

  /** All that is still of use; afterwards it is empty. */
  take(nowMicros: number): readonly Buffer[] {
    this.#forgetOld(nowMicros);
    const packets = this.#packets.map(({ bytes }) => bytes);
    this.#packets = [];
    this.#bytes = 0;
    return packets;
  }

  #forgetOld(nowMicros: number): void {
    let oldest = this.#packets[0];
    while (oldest !== undefined && nowMicros - oldest.atMicros > UNPROVEN_HELD_MS * 1_000) {
      this.#bytes -= oldest.bytes.length;
      this.#packets.shift();
      oldest = this.#packets[0];
    }
  }
}
