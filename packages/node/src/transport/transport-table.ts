import type { ReportedTransport } from '@godwit/protocol';
import { parseIceUsername, type IceUsername } from '@godwit/transport';
import { parseStunMessage } from '@godwit/rtp';
import type { TransportHost } from './transport-host.js';

/** All transports of this node, by id and by the ufrags that their clients use. */
export class TransportTable {
  readonly #byId = new Map<string, TransportHost>();
  readonly #byUfrag = new Map<string, TransportHost>();
  readonly #ufrags = new Map<TransportHost, readonly string[]>();

  get size(): number {
    return this.#byId.size;
  }

  /** Ufrags by which clients reach transports here: two generations each at most. */
  get ufrags(): number {
    return this.#byUfrag.size;
  }

  get(transportId: string): TransportHost | undefined {
    return this.#byId.get(transportId);
  }

  values(): IterableIterator<TransportHost> {
    return this.#byId.values();
  }

  /** Those that this node encrypts and decrypts for, as it tells control. */
  owned(): ReportedTransport[] {
    return [...this.#byId.values()].flatMap(({ transportId, sessionId, role, connected }) =>
      role.name === 'owner' ? [{ transportId, sessionId, epoch: role.epoch, connected }] : [],
    );
  }

  /** Adds, or replaces the host of the same transport. */
  set(host: TransportHost): void {
    const former = this.#byId.get(host.transportId);
    if (former !== undefined) this.#removeUfrags(former);
    this.#byId.set(host.transportId, host);
    this.indexUfrags(host);
  }

  /** To be called after an ICE restart: ufrags of older generations are forgotten. */
  indexUfrags(host: TransportHost): void {
    this.#removeUfrags(host);
    this.#ufrags.set(host, host.ice.localUfrags);
    for (const ufrag of host.ice.localUfrags) this.#byUfrag.set(ufrag, host);
  }

  delete(transportId: string): void {
    const host = this.#byId.get(transportId);
    if (host === undefined) return;
    this.#removeUfrags(host);
    this.#byId.delete(transportId);
  }

  /** The transport that a STUN message is meant for; whether it is genuine, the agent decides. */
  findByStun(bytes: Buffer): TransportHost | null {
    const username = parseStunMessage(bytes)?.username;
    const parsed: IceUsername | null = username === undefined ? null : parseIceUsername(username);
    return parsed === null ? null : (this.#byUfrag.get(parsed.localUfrag) ?? null);
  }

  #removeUfrags(host: TransportHost): void {
    for (const ufrag of this.#ufrags.get(host) ?? []) {
      if (this.#byUfrag.get(ufrag) === host) this.#byUfrag.delete(ufrag);
    }
    this.#ufrags.delete(host);
  }
}
