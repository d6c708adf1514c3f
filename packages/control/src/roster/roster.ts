import type { SignallingEvent } from '@godwit/protocol';
import type { RosterStorage } from '@godwit/storage';
import { isBoundTo, newSessionState, type ConnectionState, type SessionState } from './state.js';

/** The sessions in memory, and who is where in them. Rows are written by those who change it. */
export class Roster {
  readonly #storage: RosterStorage;
  readonly #sessions = new Map<string, SessionState>();
  readonly #connections = new Map<string, ConnectionState>();
  readonly #byTransport = new Map<string, ConnectionState>();

  constructor(storage: RosterStorage) {
    this.#storage = storage;
  }

  /**
   * The session; null when there is none. One that nobody is in is read from its row and not kept: who joins it takes
   * `liveSession` again once it waits for nothing more.
   */
  async session(sessionId: string): Promise<SessionState | null> {
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return known;
    const record = await this.#storage.sessions.get(sessionId);
    if (record === null) return null;
    return this.#sessions.get(sessionId) ?? newSessionState(record);
  }

  /** The session when somebody is in it. */
  liveSession(sessionId: string): SessionState | null {
    return this.#sessions.get(sessionId) ?? null;
  }

  sessions(): SessionState[] {
    return [...this.#sessions.values()];
  }

  connection(connectionId: string): ConnectionState | null {
    return this.#connections.get(connectionId) ?? null;
  }

  connections(): ConnectionState[] {
    return [...this.#connections.values()];
  }

  byTransport(transportId: string): ConnectionState | null {
    return this.#byTransport.get(transportId) ?? null;
  }

  addConnection(connection: ConnectionState): void {
    this.#connections.set(connection.connectionId, connection);
    connection.session.connections.set(connection.connectionId, connection);
    this.#sessions.set(connection.session.sessionId, connection.session);
  }

  removeConnection(connection: ConnectionState): void {
    this.#connections.delete(connection.connectionId);
    connection.session.connections.delete(connection.connectionId);
    if (connection.transport !== null) this.#byTransport.delete(connection.transport.transportId);
  }

  indexTransport(connection: ConnectionState): void {
    if (connection.transport !== null) this.#byTransport.set(connection.transport.transportId, connection);
  }

  /** The connection has no transport any more. */
  forgetTransport(connection: ConnectionState): void {
    if (connection.transport !== null) this.#byTransport.delete(connection.transport.transportId);
    connection.transport = null;
  }

  /** Forgets a session that nobody is in; its row stays. Not another one of its id, which somebody has joined meanwhile. */
  releaseSession(session: SessionState): void {
    const { sessionId, connections } = session;
    if (connections.size === 0 && this.#sessions.get(sessionId) === session) this.#sessions.delete(sessionId);
  }

  /** Those whose transport a node owns. */
  connectionsOn(nodeId: string): ConnectionState[] {
    return this.connections().filter(({ transport }) => transport?.ownerNodeId === nodeId);
  }

  /** Those whose transport a node owns or is about to, as far as control knows: it may own already. */
  connectionsBoundTo(nodeId: string): ConnectionState[] {
    return this.connections().filter(({ transport }) => transport !== null && isBoundTo(transport, nodeId));
  }

  /** To everybody in the session, in order; connection events only to those who want them. */
  broadcast(session: SessionState, event: SignallingEvent, except?: ConnectionState): void {
    const aboutConnections = event.event === 'connectionCreated' || event.event === 'connectionDestroyed';
    for (const connection of session.connections.values()) {
      if (connection === except || (aboutConnections && connection.eventsSuppressed)) continue;
      connection.channel.push(event);
    }
  }
}
