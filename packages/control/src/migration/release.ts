import type { NodeEvent } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { NodeCommandError, type NodeSession } from '../nodes/node-session.js';
import type { ConnectionState, TransportState } from '../roster/state.js';
import { adoptOwner } from './adopt-owner.js';
import { nodeFor } from '../nodes/session-node.js';

export type ReleaseWanted = Extract<NodeEvent, { event: 'releaseWanted' }>;

/** What the other node of a move answered when told what its link did not carry. */
type PeerAnswer = 'let-go' | 'owns' | 'unreachable';

/**
 * Answers owners that only the other node of their move can set free, when the two do not hear each other: that node is
 * asked by way of control, or, once it counts as dead, the asker goes on in a new epoch (HANDOVER 2.6). Questions are
 * repeated, so whatever fails here is tried again.
 */
export class Releases {
  readonly #context: ControlContext;
  readonly #asked = new Set<string>();

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /** Never throws. One question of a move at a time: a repetition that waits for its turn says nothing new. */
  async answer(nodeId: string, question: ReleaseWanted): Promise<void> {
    const { moveId, transportId, epoch } = question;
    if (this.#asked.has(moveId)) return;
    this.#asked.add(moveId);
    try {
      const connection = this.#context.roster.byTransport(transportId);
      if (connection === null) await this.#closeUnlessKept(nodeId, transportId, epoch);
      else await connection.lock.run(() => this.#decide(connection, nodeId, question));
    } catch (error) {
      this.#context.log.error({ moveId, transportId, error: String(error) }, 'deciding a move failed');
    } finally {
      this.#asked.delete(moveId);
    }
  }

  async #decide(connection: ConnectionState, nodeId: string, question: ReleaseWanted): Promise<void> {
    const { transport } = connection;
    if (transport === null || connection.ended) return;
    const { moveId, epoch } = question;
    const changed = await adoptOwner(this.#context, transport, { ownerNodeId: nodeId, epoch });
    if (changed) await this.#context.routes.push(connection.session);
    if (transport.ownerNodeId !== nodeId || transport.epoch < epoch) {
      await this.#yield(nodeId, question, transport.epoch);
      return;
    }
    // Decided before, and the answer was lost.
    if (transport.epoch > epoch) await this.#release(nodeId, moveId, transport);
    else await this.#settleWithPeer(connection, transport, nodeId, question);
  }

  async #settleWithPeer(
    connection: ConnectionState,
    transport: TransportState,
    nodeId: string,
    question: ReleaseWanted,
  ): Promise<void> {
    const { moveId, peerNodeId, role } = question;
    const { storage, nodes, routes } = this.#context;
    const { transportId } = transport;
    const intent = (await storage.transports.get(transportId))?.lastIntent ?? null;
    if (intent === null) return;
    if (nodes.isDead(peerNodeId)) {
      // A later grant came to nothing, since a bounded owner starts no move: to close it closes the one asked about too.
      const grant = { moveId: intent.moveId, ownerNodeId: nodeId };
      const epoch = await storage.transports.decideMove(transportId, grant);
      if (epoch === null) return;
      transport.epoch = epoch;
      this.#context.log.warn(
        { moveId, transportId, nodeId, epoch, peerNodeId },
        'a move was decided without a node that counts as dead',
      );
      await this.#release(nodeId, moveId, transport);
      await routes.push(connection.session);
      return;
    }
    const answer = await this.#tellPeer(question);
    if (answer === 'let-go') await this.#release(nodeId, moveId, transport);
    else if (answer === 'owns' && role === 'target' && intent.moveId === moveId) {
      // The source took the transport back: the higher epoch counts.
      const { sourceNodeId: ownerNodeId, returnEpoch: epoch } = intent;
      if (!(await adoptOwner(this.#context, transport, { ownerNodeId, epoch }))) return;
      await routes.push(connection.session);
      await this.#tellAborted(nodeId, moveId, transportId, epoch);
    }
  }

  /** The asker is not the owner: a target goes back to relaying, a source has nothing left to do. */
  async #yield(
    nodeId: string,
    { moveId, transportId, epoch, role }: ReleaseWanted,
    ownerEpoch: number,
  ): Promise<void> {
    if (role === 'target' && (await this.#tellAborted(nodeId, moveId, transportId, ownerEpoch)) === 'let-go')
      return;
    await this.#close(nodeId, transportId, epoch, 'moved');
  }

  #tellPeer({ moveId, transportId, peerNodeId, role, epoch }: ReleaseWanted): Promise<PeerAnswer> {
    if (role === 'source') return this.#tellAborted(peerNodeId, moveId, transportId, epoch);
    const fields = { moveId, transportId, word: { kind: 'accepted' } } as const;
    return this.#ask(peerNodeId, transportId, (node) => node.command('tellMove', fields));
  }

  #tellAborted(nodeId: string, moveId: string, transportId: string, ownerEpoch: number): Promise<PeerAnswer> {
    const fields = { moveId, transportId, word: { kind: 'aborted', ownerEpoch } } as const;
    return this.#ask(nodeId, transportId, (node) => node.command('tellMove', fields));
  }

  #release(nodeId: string, moveId: string, { transportId, epoch }: TransportState): Promise<PeerAnswer> {
    return this.#ask(nodeId, transportId, (node) =>
      node.command('releaseMove', { moveId, transportId, epoch }),
    );
  }

  /** Nobody here has it. While its row lives another control has it, or takes it up: the question comes again. */
  async #closeUnlessKept(nodeId: string, transportId: string, epoch: number): Promise<void> {
    const row = await this.#context.storage.transports.get(transportId);
    if (row?.endedAtMs === null) return;
    await this.#close(nodeId, transportId, epoch, 'unknown');
  }

  #close(nodeId: string, transportId: string, epoch: number, reason: string): Promise<PeerAnswer> {
    return this.#ask(nodeId, transportId, (node) =>
      node.command('closeTransport', { transportId, epoch, reason }),
    );
  }

  /** A node that knows nothing of the move (any more) holds nothing by it. */
  async #ask(
    nodeId: string,
    transportId: string,
    command: (node: Pick<NodeSession, 'command'>) => Promise<unknown>,
  ): Promise<PeerAnswer> {
    const { nodes, roster } = this.#context;
    const connection = roster.byTransport(transportId);
    const node =
      connection === null ? nodes.session(nodeId) : nodeFor(this.#context, connection.session, nodeId);
    if (node === null) return 'unreachable';
    try {
      await command(node);
      return 'let-go';
    } catch (error) {
      if (!(error instanceof NodeCommandError)) throw error;
      if (error.code === 'unknown-move' || error.code === 'unknown-transport') return 'let-go';
      return error.code === 'too-late' || error.code === 'moved' ? 'owns' : 'unreachable';
    }
  }
}
