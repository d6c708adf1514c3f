import type { NodeCommand, NodeCommandType, StreamRoute, TransportMedia } from '@godwit/protocol';
import { deferred, type Deferred } from '../deadline.js';
import { Refusal, type FakeNode } from './fake-node.js';

type Command<T extends NodeCommandType> = Extract<NodeCommand, { type: T }>;

/** Where a move can be held: what has been asked, and the reply or event does not come. */
export type MoveStep =
  /** The target has not taken the relays' routes. */
  | 'relays'
  | 'prepare'
  | 'start'
  /** The client knows, and nothing has proven its path. */
  | 'told'
  /** Proven; the state has not left. */
  | 'proven'
  /** The target owns, or the source has taken it back, and nobody has told control. */
  | 'transferred'
  /** Control has recorded the owner, and the routes that follow are not taken. */
  | 'recorded';

interface Hold {
  readonly step: MoveStep;
  readonly transportId: string;
  readonly reached: Deferred<void>;
  readonly release: Deferred<void>;
}

interface ModelMove {
  readonly command: Command<'startMove'>;
  state: 'proving' | 'proven' | 'ended';
}

/**
 * What two media nodes do as control sees it: who owns which transport in which epoch, what is prepared, which media and
 * routes they were told. Refuses what a real node refuses. A move goes through by itself unless it is held.
 */
export class ModelNode {
  readonly node: FakeNode;
  readonly owned = new Map<string, { epoch: number; media: TransportMedia | null; connected: boolean }>();
  readonly prepared = new Map<string, Command<'prepareMove'>>();
  readonly routes = new Map<string, StreamRoute>();
  readonly #answers = new Map<string, Deferred<void>>();
  readonly #moves = new Map<string, ModelMove>();
  #hold: Hold | null = null;
  #peer: ModelNode | null = null;

  constructor(node: FakeNode) {
    this.node = node;
    const { script } = node;
    script.createTransport = ({ transportId, epoch }) => {
      this.owned.set(transportId, { epoch, media: null, connected: false });
      return undefined;
    };
    script.configureTransport = (command) => this.#configure(command);
    script.closeTransport = ({ transportId, epoch }) => this.#close(transportId, epoch);
    script.setStreams = (command) => this.#setStreams(command);
    script.prepareMove = (command) => this.#prepare(command);
    script.startMove = (command) => this.#start(command);
    script.cancelMove = (command) => this.#cancel(command);
    script.restartIce = ({ transportId, epoch }) => {
      this.#owner(transportId, epoch);
      return undefined;
    };
    script.setRemoteIce = ({ transportId, epoch }) => {
      if (this.prepared.get(transportId)?.epoch !== epoch) this.#owner(transportId, epoch);
      this.#answerOf(transportId, epoch).resolve();
      return undefined;
    };
  }

  static pair(a: FakeNode, b: FakeNode): [ModelNode, ModelNode] {
    const [first, second] = [new ModelNode(a), new ModelNode(b)];
    first.#peer = second;
    second.#peer = first;
    return [first, second];
  }

  /** Holds one transport's next move at a step; said to the source of that move. */
  hold(step: MoveStep, transportId: string): { reached: Promise<void>; release: () => void } {
    const hold: Hold = { step, transportId, reached: deferred<void>(), release: deferred<void>() };
    this.#hold = hold;
    if (this.#peer !== null) this.#peer.#hold = hold;
    return { reached: hold.reached.promise, release: () => hold.release.resolve() };
  }

  /** The client has been silent for too long: the node forgets the transport and says so. */
  expire(transportId: string): void {
    const owned = this.owned.get(transportId);
    if (owned === undefined) return;
    this.owned.delete(transportId);
    this.#forgetMoves(transportId);
    this.node.send({ event: 'transportClosed', transportId, epoch: owned.epoch, reason: 'consent-expired' });
  }

  /** Resolves when the client's credentials have come for a transport in an epoch. */
  #answerOf(transportId: string, epoch: number): Deferred<void> {
    const key = `${transportId} ${epoch}`;
    const answer = this.#answers.get(key) ?? deferred<void>();
    this.#answers.set(key, answer);
    return answer;
  }

  async #at(step: MoveStep, transportId: string | null): Promise<void> {
    const hold = this.#hold;
    if (hold?.step !== step || (transportId !== null && hold.transportId !== transportId)) return;
    this.#hold = null;
    if (this.#peer !== null) this.#peer.#hold = null;
    hold.reached.resolve();
    await hold.release.promise;
  }

  #owner(transportId: string, epoch: number): { epoch: number; media: TransportMedia | null } {
    const owned = this.owned.get(transportId);
    if (owned === undefined) throw new Refusal(this.#wasHere(transportId) ? 'moved' : 'unknown-transport');
    if (owned.epoch !== epoch) throw new Refusal('moved');
    return owned;
  }

  /** A former owner lingers as a relay. */
  #wasHere(transportId: string): boolean {
    return [...this.#moves.values()].some(({ command }) => command.transportId === transportId);
  }

  #configure({ transportId, epoch, media }: Command<'configureTransport'>): object {
    const owned = this.#owner(transportId, epoch);
    if (media.generation >= (owned.media?.generation ?? 0)) owned.media = media;
    const known = this.owned.get(transportId);
    if (known !== undefined && !known.connected) {
      known.connected = true;
      setImmediate(() => this.node.send({ event: 'transportConnected', transportId, epoch }));
    }
    return {};
  }

  #close(transportId: string, epoch: number): object {
    const owned = this.owned.get(transportId);
    if (owned !== undefined && owned.epoch > epoch) throw new Refusal('moved');
    this.owned.delete(transportId);
    this.prepared.delete(transportId);
    this.#forgetMoves(transportId);
    return {};
  }

  #forgetMoves(transportId: string): void {
    for (const [moveId, move] of this.#moves) {
      if (move.command.transportId !== transportId) continue;
      move.state = 'ended';
      this.#moves.delete(moveId);
    }
  }

  async #setStreams({ streams }: Command<'setStreams'>): Promise<object> {
    const { nodeId } = this.node;
    const upcoming = streams.some(({ upcomingIngresses = [] }) =>
      upcomingIngresses.some((each) => each.nodeId === nodeId),
    );
    // The present owner is among them too, by the epoch in which it may take the transport back.
    if (upcoming && streams.some(({ ingressNodeId }) => ingressNodeId !== nodeId))
      await this.#at('relays', null);
    // Only the routes of an owner that has just been recorded name it so.
    if (
      streams.some(
        ({ ingressNodeId, ingressEpoch }) => ingressNodeId === this.node.nodeId && ingressEpoch > 1,
      )
    )
      await this.#at('recorded', null);
    for (const route of streams) {
      const named = [route.ingressNodeId, ...route.consumerNodeIds].includes(this.node.nodeId);
      if (named) this.routes.set(route.streamId, route);
      else this.routes.delete(route.streamId);
    }
    return {};
  }

  async #prepare(command: Command<'prepareMove'>): Promise<undefined> {
    const { transportId } = command;
    if (this.owned.has(transportId)) throw new Refusal('busy');
    // As a node does: it knows of the move from the first moment, and answers once its caches are full.
    this.prepared.set(transportId, command);
    await this.#at('prepare', transportId);
    if (this.prepared.get(transportId) !== command) throw new Refusal('unknown-move');
    return undefined;
  }

  async #start(command: Command<'startMove'>): Promise<object> {
    const { transportId, moveId, epoch } = command;
    await this.#at('start', transportId);
    const owned = this.owned.get(transportId);
    if (owned === undefined) throw new Refusal('unknown-transport');
    if (owned.epoch >= epoch) throw new Refusal('moved');
    const move: ModelMove = { command, state: 'proving' };
    this.#moves.set(moveId, move);
    setImmediate(() => void this.#goOn(move));
    return {};
  }

  async #goOn(move: ModelMove): Promise<void> {
    const { transportId, moveId, epoch } = move.command;
    const target = this.#peer;
    if (target === null) throw new Error('a move needs a second node');
    // A client that is told by a restart comes when it has answered.
    if (move.command.restartIce !== undefined) await target.#answerOf(transportId, epoch).promise;
    await this.#at('told', transportId);
    if (move.state !== 'proving') return;
    move.state = 'proven';
    this.node.send({ event: 'moveProven', moveId, transportId, measures: {} });
    await this.#at('proven', transportId);
    if (move.state !== 'proven') return;
    const owned = this.owned.get(transportId);
    const prepared = target.prepared.get(transportId);
    if (owned === undefined || prepared === undefined) return await this.#takeBack(move);
    move.state = 'ended';
    this.owned.delete(transportId);
    target.prepared.delete(transportId);
    target.owned.set(transportId, { epoch, media: prepared.media, connected: true });
    await this.#at('transferred', transportId);
    const ended = { event: 'moveEnded', moveId, transportId, epoch } as const;
    this.node.send({ ...ended, ownerNodeId: target.node.nodeId, outcome: 'completed', measures: {} });
  }

  async #takeBack(move: ModelMove): Promise<void> {
    const { transportId, moveId, returnEpoch } = move.command;
    move.state = 'ended';
    const owned = this.owned.get(transportId);
    if (owned === undefined) return;
    owned.epoch = returnEpoch;
    await this.#at('transferred', transportId);
    const ended = { event: 'moveEnded', moveId, transportId, epoch: returnEpoch, measures: {} } as const;
    const { nodeId: ownerNodeId } = this.node;
    this.node.send({ ...ended, ownerNodeId, outcome: 'failed', failure: 'transfer-refused' });
  }

  #cancel({ moveId, transportId }: Command<'cancelMove'>): object {
    const move = this.#moves.get(moveId);
    if (move !== undefined && move.state !== 'ended') {
      move.state = 'ended';
      const ended = { event: 'moveEnded', moveId, transportId, outcome: 'cancelled', measures: {} } as const;
      const { nodeId: ownerNodeId } = this.node;
      const epoch = this.owned.get(transportId)?.epoch ?? 0;
      this.node.send({ ...ended, ownerNodeId, epoch, failure: 'cancelled' });
    } else if (move !== undefined && !this.owned.has(transportId)) throw new Refusal('too-late');
    if (this.prepared.get(transportId)?.moveId === moveId) this.prepared.delete(transportId);
    const epoch = this.owned.get(transportId)?.epoch;
    return epoch === undefined ? {} : { epoch };
  }
}
