import type { StreamKey, TransportId } from '@godwit/datapath';
import { streamName } from './stream-state.js';
import type { TransportState } from './transport-state.js';

interface Users {
  readonly publishers: Set<TransportState>;
  readonly subscribers: Set<TransportState>;
}

const NOBODY: ReadonlySet<TransportState> = new Set();

/** Who sends and who receives each stream here: asked for every report, so that a node of many transports walks through few. */
export class StreamUsers {
  readonly #users = new Map<string, Users>();
  readonly #streamsOf = new Map<TransportId, Set<string>>();

  /** Replaces what was known of the transport. */
  set(transport: TransportState): void {
    this.remove(transport);
    const { ingress, egress } = transport.media;
    const names = new Set<string>();
    for (const rule of ingress) this.#of(rule, names).publishers.add(transport);
    for (const rule of egress) this.#of(rule, names).subscribers.add(transport);
    this.#streamsOf.set(transport.transportId, names);
  }

  remove(transport: TransportState): void {
    for (const name of this.#streamsOf.get(transport.transportId) ?? []) {
      const users = this.#users.get(name);
      users?.publishers.delete(transport);
      users?.subscribers.delete(transport);
      if (users?.publishers.size === 0 && users.subscribers.size === 0) this.#users.delete(name);
    }
    this.#streamsOf.delete(transport.transportId);
  }

  subscribers(stream: StreamKey): ReadonlySet<TransportState> {
    return this.#users.get(streamName(stream))?.subscribers ?? NOBODY;
  }

  /** The transport that sends the stream; of several the one that was told of first. */
  publisher(stream: StreamKey): TransportState | undefined {
    const [first] = this.#users.get(streamName(stream))?.publishers ?? NOBODY;
    return first;
  }

  #of(stream: StreamKey, names: Set<string>): Users {
    const name = streamName(stream);
    names.add(name);
    const known = this.#users.get(name);
    if (known !== undefined) return known;
    const users: Users = { publishers: new Set(), subscribers: new Set() };
    this.#users.set(name, users);
    return users;
  }
}
