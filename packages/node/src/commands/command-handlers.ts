import { randomBytes } from 'node:crypto';
import type { NodeCommand, NodeResult, NodeCommandType } from '@godwit/protocol';
import { chooseFreshAddresses, createIceCredentials, IceLiteAgent } from '@godwit/transport';
import { NodeError } from '../errors.js';
import type { MoveTable } from '../handover/move-table.js';
import { ownAs } from '../handover/source-effects.js';
import { TRANSPORTS_MAX } from '../limits.js';
import type { NodeContext } from '../node-context.js';
import { NO_MEDIA, removeTransport } from '../transport/remove-transport.js';
import { TransportHost } from '../transport/transport-host.js';
import type { Handshakes } from './handshakes.js';
import { prepareMove } from './prepare-move.js';
import { SessionTerms } from './session-terms.js';

type Command<T extends NodeCommandType> = Extract<NodeCommand, { type: T }>;

/**
 * Carries out what control asks for. A command whose answer was lost may be repeated: it changes nothing more and is
 * answered as before. Only restartIce makes new credentials each time; the client stays on those that it uses.
 */
export class CommandHandlers {
  readonly #context: NodeContext;
  readonly #moves: MoveTable;
  readonly #handshakes: Handshakes;
  readonly #isStopping: () => boolean;
  readonly #terms = new SessionTerms();

  constructor(context: NodeContext, moves: MoveTable, handshakes: Handshakes, isStopping: () => boolean) {
    this.#context = context;
    this.#moves = moves;
    this.#handshakes = handshakes;
    this.#isStopping = isStopping;
  }

  /** Rejects with a NodeError. */
  async handle(command: NodeCommand): Promise<unknown> {
    if (command.on !== undefined && !this.#terms.accept(command.on))
      throw new NodeError('superseded', 'another control speaks for this session now');
    switch (command.type) {
      case 'setReplicas':
        // The sockets to control are the shell's: whoever took this command in has heard it.
        return {};
      case 'reportTransports':
        return this.#reportTransports(command);
      case 'setPeers':
        return this.#setPeers(command);
      case 'setStreams':
        this.#context.streams.setRoutes(this.#context.clockMs(), command.streams);
        return {};
      case 'createTransport':
        return this.#createTransport(command);
      case 'configureTransport':
        return this.#configureTransport(command);
      case 'restartIce':
        return this.#restartIce(command);
      case 'setRemoteIce':
        this.#at(command.transportId, command.epoch).ice.setRemote(command.ice);
        return {};
      case 'closeTransport':
        return this.#closeTransport(command);
      case 'prepareMove':
        this.#refuseWhenStopping();
        return prepareMove(this.#context, this.#moves, command);
      case 'startMove':
        this.#moves.start(command);
        return {};
      case 'returnPath':
        return this.#returnPath(command);
      case 'cancelMove':
        return this.#cancelMove(command);
      case 'releaseMove':
        this.#moves.release(command);
        return {};
      case 'raiseEpoch':
        this.#raiseEpoch(command);
        return {};
      case 'tellMove':
        this.#moves.tell(command);
        return {};
    }
  }

  #reportTransports({ transportIds }: Command<'reportTransports'>): NodeResult<'reportTransports'> {
    const asked = new Set(transportIds);
    const owned = this.#context.transports.owned();
    return { transports: owned.filter(({ transportId }) => asked.has(transportId)) };
  }

  #setPeers({ peers }: Command<'setPeers'>): NodeResult<'setPeers'> {
    const others = peers.filter(({ nodeId }) => nodeId !== this.#context.nodeId());
    const refused = this.#context.links.setPeers(this.#context.clockMs(), others);
    if (refused.length > 0) {
      this.#context.log.error(
        { refused },
        'link keys that their identity has not signed: no link to these nodes',
      );
    }
    return {};
  }

  #createTransport(command: Command<'createTransport'>): NodeResult<'createTransport'> {
    this.#refuseWhenStopping();
    const { transportId, epoch, remote } = command;
    const existing = this.#context.transports.get(transportId);
    const addresses = chooseFreshAddresses(this.#context.pool.addresses, []);
    if (existing !== undefined) {
      if (!isRepeated(existing, command)) throw new NodeError('busy', `transport ${transportId} exists here`);
      return { ice: existing.ice.local, fingerprint: this.#handshakes.fingerprint, addresses };
    }
    if (this.#context.transports.size >= TRANSPORTS_MAX) {
      throw new NodeError('busy', `this node holds ${TRANSPORTS_MAX} transports already`);
    }
    const ice = createIceCredentials(randomBytes);
    const host = new TransportHost(this.#context.datapath, {
      transportId,
      sessionId: command.sessionId,
      localSsrc: command.localSsrc,
      media: NO_MEDIA,
      role: { name: 'owner', epoch },
      ice: new IceLiteAgent(this.#context.clockMs(), { local: ice, remote: remote.ice }),
      dtls: this.#handshakes.create(remote.fingerprint),
    });
    this.#context.datapath.addTransport(transportId);
    this.#context.router.setTransport(transportId, command.localSsrc, NO_MEDIA);
    this.#context.transports.set(host);
    return { ice, fingerprint: this.#handshakes.fingerprint, addresses };
  }

  #configureTransport({
    transportId,
    epoch,
    media,
  }: Command<'configureTransport'>): NodeResult<'configureTransport'> {
    const host = this.#changeable(transportId, epoch);
    if (media.generation < host.media.generation) return {};
    host.media = media;
    this.#context.datapath.setMedia(transportId, media);
    this.#context.router.setTransport(transportId, host.localSsrc, media);
    return {};
  }

  #restartIce({ transportId, epoch, usedAddresses }: Command<'restartIce'>): NodeResult<'restartIce'> {
    const host = this.#changeable(transportId, epoch);
    return this.#newGeneration(host, usedAddresses);
  }

  #newGeneration(host: TransportHost, usedAddresses: readonly string[]): NodeResult<'restartIce'> {
    const { addresses: pool } = this.#context.pool;
    const fresh = chooseFreshAddresses(pool, usedAddresses);
    // New credentials make every address fresh again.
    const addresses = fresh.length > 0 ? fresh : chooseFreshAddresses(pool, []);
    const ice = createIceCredentials(randomBytes);
    host.ice.restart(ice);
    this.#context.transports.indexUfrags(host);
    return { ice, addresses };
  }

  #returnPath({
    moveId,
    transportId,
    method,
    usedAddresses,
  }: Command<'returnPath'>): NodeResult<'returnPath'> {
    if (method === 'restart') {
      const host = this.#context.transports.get(transportId);
      if (host === undefined)
        throw new NodeError('unknown-transport', `there is no transport ${transportId} here`);
      this.#moves.returnPath(moveId);
      const { ice: restartIce, addresses } = this.#newGeneration(host, usedAddresses);
      return { restartIce, addresses };
    }
    const addresses = chooseFreshAddresses(this.#context.pool.addresses, usedAddresses);
    if (addresses.length === 0) {
      throw new NodeError('no-fresh-address', 'the client has seen every address of this node');
    }
    this.#moves.returnPath(moveId);
    return { addresses };
  }

  #closeTransport({ transportId, epoch }: Command<'closeTransport'>): NodeResult<'closeTransport'> {
    const host = this.#context.transports.get(transportId);
    if (host === undefined) return {};
    if (host.role.epoch > epoch)
      throw new NodeError('moved', `transport ${transportId} has a newer epoch here`);
    this.#moves.forgetTransport(transportId);
    removeTransport(this.#context, transportId);
    return {};
  }

  /** What is refused here is asked again of the owner, once the nodes have said who that is. */
  #changeable(transportId: string, epoch: number): TransportHost {
    const host = this.#at(transportId, epoch);
    if (this.#moves.hasLeft(transportId)) throw new NodeError('busy', `the state of ${transportId} has left`);
    return host;
  }

  /** Owner or coming owner of exactly this epoch. */
  #at(transportId: string, epoch: number): TransportHost {
    const host = this.#context.transports.get(transportId);
    if (host === undefined)
      throw new NodeError('unknown-transport', `there is no transport ${transportId} here`);
    if (host.role.name === 'relay' || host.role.epoch !== epoch) {
      throw new NodeError('moved', `transport ${transportId} is not here in epoch ${epoch}`);
    }
    return host;
  }

  #cancelMove(command: Command<'cancelMove'>): NodeResult<'cancelMove'> {
    this.#moves.cancel(command);
    const role = this.#context.transports.get(command.transportId)?.role;
    return role?.name === 'owner' ? { epoch: role.epoch } : {};
  }

  #raiseEpoch({ transportId, epoch, raisedEpoch }: Command<'raiseEpoch'>): void {
    const host = this.#context.transports.get(transportId);
    if (host?.role.name === 'owner' && host.role.epoch === raisedEpoch) return;
    ownAs(this.#context, this.#at(transportId, epoch), raisedEpoch);
  }

  #refuseWhenStopping(): void {
    if (this.#isStopping()) throw new NodeError('stopping', 'this node is stopping and takes nothing new');
  }
}

/** The same transport for the same client, whose handshake has not ended yet. */
function isRepeated(host: TransportHost, { epoch, remote }: Command<'createTransport'>): boolean {
  const { name, epoch: ownEpoch } = host.role;
  return (
    name === 'owner' && ownEpoch === epoch && !host.connected && host.ice.remote?.ufrag === remote.ice.ufrag
  );
}
