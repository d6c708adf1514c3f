import type { NodeEvent, NodeRegistration, ReportedTransport } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { drainNode } from '../migration/drain.js';
import { adoptOwner } from '../migration/adopt-owner.js';
import { adoptOwnerAndTell, endLeftMove } from '../migration/left-move.js';
import type { Migrations } from '../migration/migrations.js';
import type { MoveWaits } from '../migration/move-waits.js';
import { Releases } from '../migration/release.js';
import { disconnect } from '../roster/connections.js';
import { loseTransport, suspectTransports } from '../roster/rejoin.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { publishReady } from '../roster/streams.js';
import { isGoneFromOwner, refresh } from '../transports/configure.js';
import type { RegistryListener } from './registry.js';

/** What control does when a node reports something. */
export class NodeEvents implements RegistryListener {
  readonly #context: ControlContext;
  readonly #migrations: Migrations;
  readonly #waits: MoveWaits;
  readonly #releases: Releases;
  /** Transports whose source is being answered. */
  readonly #answering = new Set<string>();

  constructor(context: ControlContext, migrations: Migrations, waits: MoveWaits) {
    this.#context = context;
    this.#migrations = migrations;
    this.#waits = waits;
    this.#releases = new Releases(context);
  }

  onNodeRegistered(nodeId: string, registration: NodeRegistration): void {
    this.#watch(this.#reconcile(nodeId, registration), 'reconciling a node failed');
  }

  onNodeLost(nodeId: string): void {
    this.#waits.nodeLost(nodeId);
    for (const session of this.#context.roster.sessions()) this.#context.routes.forgetNode(session, nodeId);
    suspectTransports(this.#context, nodeId);
  }

  onNodeEvent(nodeId: string, event: NodeEvent): void {
    switch (event.event) {
      case 'transportConnected':
        this.#connected(nodeId, event.transportId, event.epoch);
        return;
      case 'transportClosed':
        this.#closed(nodeId, event.transportId, event.epoch, event.reason);
        return;
      case 'moveProven':
      case 'pathReturned':
      case 'moveEnded':
        if (!this.#waits.nodeEvent(nodeId, event)) this.#lateWord(nodeId, event);
        return;
      case 'releaseWanted':
        this.#watch(this.#releases.answer(nodeId, event), 'answering an owner failed');
        return;
      case 'answerWanted':
        this.#answerSource(nodeId, event.moveId, event.transportId);
        return;
      case 'stopping':
        this.#watch(drainNode(this.#context, this.#migrations, nodeId), 'draining a node failed');
        return;
      case 'heartbeat':
        return;
    }
  }

  #connected(nodeId: string, transportId: string, epoch: number): void {
    const owned = this.#ownedBy(nodeId, transportId, epoch);
    if (owned === null || owned.transport.isConnected) return;
    this.#noteConnected(owned.connection, owned.transport);
  }

  #noteConnected(connection: ConnectionState, transport: TransportState): void {
    const { transportId, ownerNodeId: nodeId, epoch } = transport;
    transport.isConnected = true;
    transport.connected.resolve();
    this.#context.log.info({ transportId, nodeId }, 'transport connected');
    this.#watch(
      this.#context.storage.transports.setConnected(transportId, epoch),
      'noting a handshake failed',
    );
    this.#watch(publishReady(this.#context, connection), 'publishing failed');
  }

  /** While the transport moves its turn comes first: it may live at the other node, or be this node's after all. */
  #closed(nodeId: string, transportId: string, epoch: number, reason: string): void {
    const connection = this.#context.roster.byTransport(transportId);
    if (connection?.transport == null) return;
    const end = (): void => {
      if (this.#ownedBy(nodeId, transportId, epoch) === null) return;
      this.#context.log.info({ transportId, nodeId, reason }, 'transport closed by its node');
      disconnect(this.#context, connection);
    };
    if (connection.transport.upcomingOwner === null) end();
    else
      this.#watch(
        connection.lock.run(() => Promise.resolve(end())),
        'ending a connection failed',
      );
  }

  /** Null for the word of a source that let go after a move, or of an owner of long ago: it is not about the present. */
  #ownedBy(
    nodeId: string,
    transportId: string,
    epoch: number,
  ): { connection: ConnectionState; transport: TransportState } | null {
    const connection = this.#context.roster.byTransport(transportId);
    const transport = connection?.transport ?? null;
    if (connection === null || transport === null) return null;
    return transport.ownerNodeId === nodeId && transport.epoch === epoch ? { connection, transport } : null;
  }

  /** A move that control has stopped waiting for ended after all: its grant still says who may own. */
  #lateWord(nodeId: string, event: NodeEvent): void {
    if (event.event !== 'moveEnded') return;
    const connection = this.#context.roster.byTransport(event.transportId);
    if (connection?.transport == null) return;
    const { transport } = connection;
    this.#context.log.info(
      { nodeId, moveId: event.moveId, outcome: event.outcome },
      'late word about a move',
    );
    this.#watch(
      connection.lock.run(async () => {
        await adoptOwnerAndTell(this.#context, connection, transport, event);
      }),
      'recording a late word failed',
    );
  }

  /** Unless somebody waits for the move: then a limit of time decides it. Questions are repeated, so one at a time is enough. */
  #answerSource(nodeId: string, moveId: string, transportId: string): void {
    const connection = this.#context.roster.byTransport(transportId);
    if (connection === null || this.#waits.has(moveId) || this.#answering.has(transportId)) return;
    this.#answering.add(transportId);
    const settled = connection.lock.run(async () => {
      const { transport } = connection;
      if (transport?.ownerNodeId === nodeId && !connection.ended)
        await endLeftMove(this.#context, connection, transport);
    });
    this.#watch(
      settled.finally(() => this.#answering.delete(transportId)),
      'answering a source failed',
    );
  }

  /** Keeps what the node still runs and control knows, closes the rest, and tells it the present state. */
  async #reconcile(nodeId: string, registration: NodeRegistration): Promise<void> {
    const { roster, nodes, storage } = this.#context;
    const reported = new Map(registration.transports.map((each) => [each.transportId, each]));
    // Taken before anything is awaited: what is made from now on is not in the report.
    const missing = roster
      .connectionsOn(nodeId)
      .filter(({ transport }) => transport !== null && !reported.has(transport.transportId));
    for (const connection of missing)
      this.#watch(this.#seek(connection, nodeId), 'looking for a transport failed');
    for (const claim of reported.values()) {
      const { transportId, epoch } = claim;
      const connection = roster.byTransport(transportId);
      if (connection === null || !(await this.#claim(connection, nodeId, claim))) {
        const fields = { transportId, epoch, reason: 'unknown' };
        await nodes
          .session(nodeId)
          ?.command('closeTransport', fields)
          .catch(() => undefined);
        this.#loseIfOwned(connection, nodeId);
      }
      await storage.transports.raiseEpochs(transportId, epoch);
    }
    const sessions = new Set(roster.connectionsOn(nodeId).map(({ session }) => session));
    for (const session of sessions) {
      this.#context.routes.forgetNode(session, nodeId);
      await this.#context.routes.push(session);
    }
    for (const connection of roster.connectionsOn(nodeId)) refresh(this.#context, connection);
  }

  /**
   * A transport that a node did not report may have come to it since, by a move that ended meanwhile: only the node's answer
   * says that it is lost. One that was about to move may live at its target, whose answer or report decides.
   */
  #seek(connection: ConnectionState, nodeId: string): Promise<void> {
    return connection.lock.run(async () => {
      const { transport } = connection;
      if (transport?.ownerNodeId !== nodeId || connection.ended) return;
      if (transport.upcomingOwner !== null) await endLeftMove(this.#context, connection, transport);
      else if (await isGoneFromOwner(this.#context, connection, transport))
        loseTransport(this.#context, connection, transport);
    });
  }

  /** What a node may not go on with is gone, unless another has it. */
  #loseIfOwned(connection: ConnectionState | null, nodeId: string): void {
    const transport = connection?.transport ?? null;
    if (connection === null || transport?.ownerNodeId !== nodeId || transport.upcomingOwner !== null) return;
    loseTransport(this.#context, connection, transport);
  }

  /** In the connection's turn: a move that runs ends first, and decides. */
  #claim(
    connection: ConnectionState,
    nodeId: string,
    { epoch, connected }: ReportedTransport,
  ): Promise<boolean> {
    return connection.lock.run(async () => {
      const { transport } = connection;
      if (transport === null || connection.ended) return false;
      const owns = await this.#ownsAs(connection, transport, nodeId, epoch);
      transport.claimed ||= owns;
      // The node says it once: a socket or a control that died took the event with it.
      if (owns && connected === true && !transport.isConnected) this.#noteConnected(connection, transport);
      return owns;
    });
  }

  async #ownsAs(
    connection: ConnectionState,
    transport: TransportState,
    nodeId: string,
    epoch: number,
  ): Promise<boolean> {
    if (transport.ownerNodeId === nodeId && epoch <= transport.epoch) {
      if (epoch < transport.epoch && !(await this.#raise(transport, epoch))) return false;
      await endLeftMove(this.#context, connection, transport);
    } else if (!(await adoptOwner(this.#context, transport, { ownerNodeId: nodeId, epoch }))) return false;
    return transport.ownerNodeId === nodeId && transport.epoch >= epoch;
  }

  /** Control decided for it while it was away, and its answer was lost: in its old epoch a zombie could outrank it. */
  async #raise(
    { transportId, ownerNodeId, epoch: raisedEpoch }: TransportState,
    epoch: number,
  ): Promise<boolean> {
    try {
      await this.#context.nodes
        .session(ownerNodeId)
        ?.command('raiseEpoch', { transportId, epoch, raisedEpoch });
      return true;
    } catch (error) {
      this.#context.log.warn(
        { transportId, nodeId: ownerNodeId, epoch, raisedEpoch, error: String(error) },
        'an owner did not take its new epoch',
      );
      return false;
    }
  }

  #watch(work: Promise<unknown>, message: string): void {
    work.catch((error: unknown) => {
      this.#context.log.error({ error: String(error) }, message);
    });
  }
}
