import type { NodeEvent, NodeRegistration } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { drainNode } from '../migration/drain.js';
import { adoptOwnerAndTell, endLeftMove } from '../migration/left-move.js';
import type { Migrations } from '../migration/migrations.js';
import type { MoveWaits } from '../migration/move-waits.js';
import { Releases } from '../migration/release.js';
import { disconnect } from '../roster/connections.js';
import { suspectTransports } from '../roster/rejoin.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { noteConnected } from '../transports/note-connected.js';
import type { Reconciliation } from './reconciliation.js';
import type { RegistryListener } from './registry.js';

/** What control does when a node reports something. */
export class NodeEvents implements RegistryListener {
  readonly #context: ControlContext;
  readonly #migrations: Migrations;
  readonly #waits: MoveWaits;
  readonly #releases: Releases;
  readonly #reconciliation: Reconciliation;
  /** Transports whose source is being answered. */
  readonly #answering = new Set<string>();

  constructor(
    context: ControlContext,
    migrations: Migrations,
    waits: MoveWaits,
    reconciliation: Reconciliation,
  ) {
    this.#context = context;
    this.#migrations = migrations;
    this.#waits = waits;
    this.#releases = new Releases(context);
    this.#reconciliation = reconciliation;
  }

  onNodeRegistered(nodeId: string, registration: NodeRegistration): void {
    this.#watch(
      this.#reconciliation.registered(nodeId, registration.transports),
      'reconciling a node failed',
    );
  }

  /** Sessions were taken up: those on a node that stops were to leave it, and their keeper is gone. */
  async drainStopping(): Promise<void> {
    const { nodes, roster } = this.#context;
    const stopping = nodes.list().filter(({ state }) => state === 'stopping');
    const holding = stopping.filter(({ nodeId }) => roster.connectionsBoundTo(nodeId).length > 0);
    await Promise.all(holding.map(({ nodeId }) => drainNode(this.#context, this.#migrations, nodeId)));
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
    noteConnected(this.#context, owned.connection, owned.transport);
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

  #watch(work: Promise<unknown>, message: string): void {
    work.catch((error: unknown) => {
      this.#context.log.error({ error: String(error) }, message);
    });
  }
}
