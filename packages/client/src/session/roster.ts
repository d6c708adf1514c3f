import type { ConnectResult, ConnectionInfo, StreamInfo } from '@godwit/protocol';
import type { Connection, Stream } from './stream.js';
import { streamFrom } from './stream.js';

/** What a fresh roster of the server differs in from ours. */
export interface RosterChanges {
  connectionsGone: Connection[];
  connectionsNew: Connection[];
  streamsGone: Stream[];
  streamsNew: Stream[];
}

/** Who and what is in the session, as the server tells it. */
export class Roster {
  readonly #connections = new Map<string, Connection>();
  readonly #streams = new Map<string, Stream>();

  /** Adds a connection; false when it is known. */
  addConnection(connection: ConnectionInfo): boolean {
    if (this.#connections.has(connection.connectionId)) return false;
    this.#connections.set(connection.connectionId, connection);
    return true;
  }

  removeConnection(connectionId: string): Connection | undefined {
    const connection = this.#connections.get(connectionId);
    this.#connections.delete(connectionId);
    return connection;
  }

  /** Adds a stream; undefined when it is known. */
  addStream(info: StreamInfo): Stream | undefined {
    if (this.#streams.has(info.streamId)) return undefined;
    const stream = streamFrom(info);
    this.#streams.set(info.streamId, stream);
    return stream;
  }

  removeStream(streamId: string): Stream | undefined {
    const stream = this.#streams.get(streamId);
    this.#streams.delete(streamId);
    return stream;
  }

  stream(streamId: string): Stream | undefined {
    return this.#streams.get(streamId);
  }

  /** Takes a whole roster over; answers what changed by it. */
  replace(result: Pick<ConnectResult, 'connections' | 'streams'>): RosterChanges {
    const connectionIds = new Set(result.connections.map(({ connectionId }) => connectionId));
    const streamIds = new Set(result.streams.map(({ streamId }) => streamId));
    const connectionsGone = [...this.#connections.values()].filter(
      (each) => !connectionIds.has(each.connectionId),
    );
    const streamsGone = [...this.#streams.values()].filter((each) => !streamIds.has(each.streamId));
    for (const { connectionId } of connectionsGone) this.#connections.delete(connectionId);
    for (const { streamId } of streamsGone) this.#streams.delete(streamId);
    const connectionsNew = result.connections.filter((each) => this.addConnection(each));
    const streamsNew = result.streams
      .map((info) => this.addStream(info))
      .filter((each) => each !== undefined);
    return { connectionsGone, connectionsNew, streamsGone, streamsNew };
  }

  clear(): void {
    this.#connections.clear();
    this.#streams.clear();
  }
}
