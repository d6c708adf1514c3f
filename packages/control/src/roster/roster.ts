import type { SignallingEvent } from '@godwit/protocol';
import { Mutex } from '../deadline.js';
import { isBoundTo, type ConnectionState, type SessionState } from './state.js';

/** The sessions that this control keeps, and who is where in them. Rows are written by those who change it. */
export class Roster {
  readonly #sessions = new Map<string, SessionState>();
  /** Sessions that are being taken or let go. */
  readonly #turns = new Map<string, { readonly turn: Mutex; users: number }>();
  readonly #connections = new Map<string, ConnectionState>();
  readonly #byTransport = new Map<string, ConnectionState>();

  /** Null: this control does not keep it, or has not been asked for it yet (`keepSession`). */
  kept(sessionId: string): SessionState | null {
    return this.#sessions.get(sessionId) ?? null;
  }

  addSession(session: SessionState): void {
    this.#sessions.set(session.sessionId, session);
  }

  /** It is somebody else's to keep. Nobody is in it. */
  forgetSession({ sessionId }: SessionState): void {
    this.#sessions.delete(sessionId);
  }

  /** Forgets everything without ending anything: others take it up. */
  clear(): void {
    for (const connection of this.#connections.values()) {
      clearTimeout(connection.graceTimer ?? undefined);
      clearTimeout(connection.rejoinTimer ?? undefined);
      connection.graceTimer = null;
      connection.rejoinTimer = null;
      connection.ended = true;
    }
    this.#connections.clear();
    this.#byTransport.clear();
    this.#sessions.clear();
  }

  /** Does the work while nobody else takes or lets go of that session. */
  async inTurn<T>(sessionId: string, work: () => Promise<T>): Promise<T> {
    const entry = this.#turns.get(sessionId) ?? { turn: new Mutex(), users: 0 };
    this.#turns.set(sessionId, entry);
    entry.users += 1;
    try {
      return await entry.turn.run(work);
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#turns.delete(sessionId);
    }
  }

  /** {@link inTurn} of several. Never two of these at a time: they would wait for each other. */
  inTurns<T>(sessionIds: readonly string[], work: () => Promise<T>): Promise<T> {
    const [first, ...others] = sessionIds;
    return first === undefined ? work() : this.inTurn(first, () => this.inTurns(others, work));
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
