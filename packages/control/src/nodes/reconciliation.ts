import type { ReportedTransport } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { adoptOwner } from '../migration/adopt-owner.js';
import { endLeftMove } from '../migration/left-move.js';
import { loseTransport } from '../roster/rejoin.js';
import type { ConnectionState, SessionState, TransportState } from '../roster/state.js';
import { isGoneFromOwner, refresh } from '../transports/configure.js';
import { noteConnected } from '../transports/note-connected.js';
import { nodeFor } from './session-node.js';

/** Transports that one question to a node names at most; the message holds as many. */
const TRANSPORTS_ASKED_MAX = 1_024;

/** Questions to one node: each may take as long as a command. */
const ASKED_AGAIN_MAX = 2;

/** Compares what nodes run with what the roster says. */
export class Reconciliation {
  readonly #context: ControlContext;

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /** The node is new here or back: keeps what it runs and the roster knows, closes what is nobody's, tells it the present state. */
  async registered(nodeId: string, reported: readonly ReportedTransport[]): Promise<void> {
    const { roster } = this.#context;
    // Taken before anything is awaited: what is made from now on is not in the report.
    this.#seekMissing(nodeId, roster.connectionsOn(nodeId), reported);
    for (const claim of reported) {
      const connection = roster.byTransport(claim.transportId);
      if (connection !== null) await this.#settle(connection, nodeId, claim);
      else if (!(await this.#isOthers(claim))) await this.#close(nodeId, claim);
      await this.#context.storage.transports.raiseEpochs(claim.transportId, claim.epoch);
    }
    await this.#tellAgain(nodeId, roster.connectionsOn(nodeId));
  }

  /** Their sessions were another control's: the nodes that are here have not told us of them yet. */
  async takenUp(connections: readonly ConnectionState[]): Promise<void> {
    this.#loseUnclaimedLater(connections);
    const byNode = new Map<string, ConnectionState[]>();
    for (const connection of connections) {
      const { transport } = connection;
      if (transport === null) continue;
      for (const nodeId of new Set([
        transport.ownerNodeId,
        transport.upcomingOwner?.nodeId ?? transport.ownerNodeId,
      ]))
        byNode.set(nodeId, [...(byNode.get(nodeId) ?? []), connection]);
    }
    await Promise.all([...byNode].map(([nodeId, bound]) => this.#askAgain(nodeId, bound)));
  }

  /** A busy node may miss one question; one that misses all of them is asked once more before anything is given up. */
  async #askAgain(nodeId: string, connections: readonly ConnectionState[]): Promise<void> {
    for (let attempt = 1; attempt <= ASKED_AGAIN_MAX; attempt++) {
      try {
        await this.#ask(nodeId, connections);
        return;
      } catch (error) {
        this.#context.log.warn({ nodeId, error: String(error) }, 'a node did not say what it runs');
      }
    }
  }

  /** A node that is away tells us when it registers. */
  async #ask(nodeId: string, connections: readonly ConnectionState[]): Promise<void> {
    const node = this.#context.nodes.session(nodeId);
    if (node === null) return;
    const transportIds = connections.flatMap(({ transport }) =>
      transport === null ? [] : [transport.transportId],
    );
    const reported: ReportedTransport[] = [];
    for (let start = 0; start < transportIds.length; start += TRANSPORTS_ASKED_MAX) {
      const asked = transportIds.slice(start, start + TRANSPORTS_ASKED_MAX);
      reported.push(...(await node.command('reportTransports', { transportIds: asked })).transports);
    }
    const owned = connections.filter(({ transport }) => transport?.ownerNodeId === nodeId);
    this.#seekMissing(nodeId, owned, reported);
    for (const claim of reported) {
      const connection = this.#context.roster.byTransport(claim.transportId);
      if (connection !== null) await this.#settle(connection, nodeId, claim);
    }
    await this.#tellAgain(
      nodeId,
      connections.filter(({ transport }) => transport?.ownerNodeId === nodeId),
    );
  }

  #seekMissing(
    nodeId: string,
    connections: readonly ConnectionState[],
    reported: readonly ReportedTransport[],
  ): void {
    const ids = new Set(reported.map(({ transportId }) => transportId));
    for (const connection of connections) {
      const { transport } = connection;
      if (transport !== null && !ids.has(transport.transportId)) this.#watch(this.#seek(connection, nodeId));
    }
  }

  async #settle(connection: ConnectionState, nodeId: string, claim: ReportedTransport): Promise<void> {
    if (await this.#claim(connection, nodeId, claim)) return;
    const { transportId, epoch } = claim;
    await nodeFor(this.#context, connection.session, nodeId)
      ?.command('closeTransport', { transportId, epoch, reason: 'unknown' })
      .catch(() => undefined);
    this.#loseIfOwned(connection, nodeId);
  }

  async #close(nodeId: string, { transportId, epoch }: ReportedTransport): Promise<void> {
    await this.#context.nodes
      .session(nodeId)
      ?.command('closeTransport', { transportId, epoch, reason: 'unknown' })
      .catch(() => undefined);
  }

  /** Another control keeps its session, or will take it up. One that is being made has no row yet: only its keeper knows. */
  async #isOthers({ transportId, sessionId }: ReportedTransport): Promise<boolean> {
    const { storage, roster, membership } = this.#context;
    const row = await storage.transports.get(transportId);
    if (row !== null && row.endedAtMs === null) return roster.kept(row.sessionId) === null;
    const keeper = await storage.replicas.keeperOf(row?.sessionId ?? sessionId ?? '');
    return keeper !== null && keeper.replicaId !== membership.replicaId;
  }

  async #tellAgain(nodeId: string, connections: readonly ConnectionState[]): Promise<void> {
    const sessions = new Set<SessionState>(connections.map(({ session }) => session));
    for (const session of sessions) {
      this.#context.routes.forgetNode(session, nodeId);
      await this.#context.routes.push(session);
    }
    for (const connection of connections) refresh(this.#context, connection);
  }

  /** Transports that no node has reported by then are gone: their clients are asked for other ones. */
  #loseUnclaimedLater(connections: readonly ConnectionState[]): void {
    const unclaimed = connections.filter(({ transport }) => transport !== null);
    if (unclaimed.length === 0) return;
    setTimeout(() => {
      for (const connection of unclaimed) {
        const { transport, ended } = connection;
        if (ended || transport === null || transport.claimed) continue;
        // Its node is here: its own word decides.
        if (this.#context.nodes.session(transport.ownerNodeId) === null)
          loseTransport(this.#context, connection, transport);
        else this.#watch(this.#seek(connection, transport.ownerNodeId));
      }
    }, this.#context.timings.nodeReportGraceMs).unref();
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
      if (owns && connected === true && !transport.isConnected)
        noteConnected(this.#context, connection, transport);
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
      if (epoch < transport.epoch && !(await this.#raise(connection, transport, epoch))) return false;
      await endLeftMove(this.#context, connection, transport);
    } else if (!(await adoptOwner(this.#context, transport, { ownerNodeId: nodeId, epoch }))) return false;
    return transport.ownerNodeId === nodeId && transport.epoch >= epoch;
  }

  /** Control decided for it while it was away, and its answer was lost: in its old epoch a zombie could outrank it. */
  async #raise(
    { session }: ConnectionState,
    { transportId, ownerNodeId, epoch: raisedEpoch }: TransportState,
    epoch: number,
  ): Promise<boolean> {
    try {
      await nodeFor(this.#context, session, ownerNodeId)?.command('raiseEpoch', {
        transportId,
        epoch,
        raisedEpoch,
      });
      return true;
    } catch (error) {
      this.#context.log.warn(
        { transportId, nodeId: ownerNodeId, epoch, raisedEpoch, error: String(error) },
        'an owner did not take its new epoch',
      );
      return false;
    }
  }

  #watch(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#context.log.error({ error: String(error) }, 'looking for a transport failed');
    });
  }
}
