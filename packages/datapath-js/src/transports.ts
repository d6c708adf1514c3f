import type { TransportId } from '@godwit/datapath';
import { TransportEntry } from './transport-entry.js';

/** The transports by id. */
export class TransportTable {
  readonly #entries = new Map<TransportId, TransportEntry>();

  /** Throws when it is there already. */
  add(transportId: TransportId): void {
    if (!/^[0-9a-f]{16}$/.test(transportId)) throw new Error('a transport id is 16 lower-case hex digits');
    if (this.#entries.has(transportId)) throw new Error(`transport ${transportId} exists already`);
    this.#entries.set(transportId, new TransportEntry(transportId));
  }

  has(transportId: TransportId): boolean {
    return this.#entries.has(transportId);
  }

  /** Throws on an unknown id. */
  get(transportId: TransportId): TransportEntry {
    const entry = this.#entries.get(transportId);
    if (entry === undefined) throw new Error(`no transport ${transportId}`);
    return entry;
  }

  find(transportId: TransportId): TransportEntry | null {
    return this.#entries.get(transportId) ?? null;
  }

  remove(transportId: TransportId): void {
    this.#entries.delete(transportId);
  }

  all(): IterableIterator<TransportEntry> {
    return this.#entries.values();
  }
}
