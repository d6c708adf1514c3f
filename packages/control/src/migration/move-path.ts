import { chooseStateSchema, type IceCredentials, type MoveFailure, type PathMethod } from '@godwit/protocol';
import type { MoveIntent } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { candidateInits } from '../negotiation/describe.js';
import { isCommandError, NodeCommandError } from '../nodes/node-session.js';
import { routesOfConnection } from '../roster/routes.js';
import { addressKey, type TransportState } from '../roster/state.js';
import { mediaOf } from '../transports/configure.js';
import { candidatesOfHop, candidatesOfRestart, type Hop } from '../transports/describe.js';
import { offerRestart, restartAtOwner, type RestartTerms } from '../transports/restart.js';
import type { MoveRequest } from './move.js';
import { nodeFor, type SessionNode } from '../nodes/session-node.js';

type Unreachable = 'source-lost' | 'target-unreachable';

/** A node that answers checks of the client. */
interface CheckedNode {
  readonly nodeId: string;
  readonly epoch: number;
  /** What the move fails with when it does not answer. */
  readonly unreachable: Unreachable;
}

interface Prepared {
  readonly sealKey: string;
  readonly hop: Hop;
  /** Set when the client is told by an ICE restart. */
  readonly restartIce: IceCredentials | null;
}

/** The commands of one move, and how its client is told of addresses. Each step answers why it failed, or null. */
export class MovePath {
  /** The source may have begun: the command was sent, whatever came of it. */
  wasStarted = false;
  /** In which epoch the source owns, by its own word after it has forgotten the move; null: it has not said so. */
  keptAs: number | null = null;
  /** The client has heard of the move. */
  wasTold = false;
  /** The client has taken an ICE restart to the target. */
  restartAnswered = false;
  readonly #context: ControlContext;
  readonly #request: MoveRequest;
  readonly #transport: TransportState;
  readonly #intent: MoveIntent;
  readonly #source: { readonly nodeId: string; readonly epoch: number };
  #prepared: Prepared | null = null;
  /** Layout of the state that both nodes know; null before it was looked for. */
  #stateSchema: number | null = null;

  constructor(context: ControlContext, request: MoveRequest, transport: TransportState, intent: MoveIntent) {
    this.#context = context;
    this.#request = request;
    this.#transport = transport;
    this.#intent = intent;
    this.#source = { nodeId: transport.ownerNodeId, epoch: transport.epoch };
  }

  /** Target: caches filled and addresses chosen; by a restart when no fresh address or priority is left. */
  async prepare(): Promise<MoveFailure | null> {
    this.#stateSchema = this.#commonSchema();
    if (this.#stateSchema === null) return 'no-common-schema';
    const wanted = this.#request.connection.pathMethod;
    if (this.#request.rehearsal) return this.#prepareRehearsal(wanted);
    const failure = await this.#prepareBy(wanted);
    return failure === 'no-fresh-address' && wanted === 'candidate' ? this.#prepareBy('restart') : failure;
  }

  /** There and back by candidates: when either side has no address left, ICE restarts at the owner first. Or by restarts. */
  async #prepareRehearsal(wanted: PathMethod): Promise<MoveFailure | null> {
    if (wanted === 'restart') return this.#prepareBy('restart');
    if (this.#hasWayBack()) {
      const failure = await this.#prepareBy('candidate');
      if (failure !== 'no-fresh-address') return failure;
    }
    try {
      await restartAtOwner(this.#context, this.#request.connection);
    } catch {
      return 'no-fresh-address';
    }
    return this.#prepareBy('candidate');
  }

  /** Source: expects the client's path to change from now on. */
  async start(): Promise<MoveFailure | null> {
    const prepared = this.#require();
    const { moveId, rehearsal, targetNodeId } = this.#request;
    const stateSchema = this.#stateSchema;
    if (stateSchema === null) return 'no-common-schema';
    this.wasStarted = true;
    const failure = await this.#ask(this.#source.nodeId, 'source-lost', (node) =>
      node.command('startMove', {
        moveId,
        transportId: this.#transport.transportId,
        epoch: this.#intent.targetEpoch,
        returnEpoch: this.#intent.returnEpoch,
        targetNodeId,
        sealKey: prepared.sealKey,
        ...(prepared.restartIce === null ? {} : { restartIce: prepared.restartIce }),
        rehearsal,
        stateSchema,
      }),
    );
    return typeof failure === 'object' ? null : failure;
  }

  /** Client: use this address. */
  async tell(): Promise<MoveFailure | null> {
    const { restartIce, hop } = this.#require();
    const { targetNodeId } = this.#request;
    this.wasTold = true;
    if (restartIce === null) {
      this.#tellCandidates(hop);
      return null;
    }
    return this.#tellByRestart({ ice: restartIce, hop }, [
      { nodeId: targetNodeId, epoch: this.#intent.targetEpoch, unreachable: 'target-unreachable' },
      { ...this.#source, unreachable: 'source-lost' },
    ]);
  }

  /** Source of a proven rehearsal: brings the path back, in the way by which the client was told to leave. */
  async returnHome(): Promise<MoveFailure | null> {
    const { moveId } = this.#request;
    const { transportId, description } = this.#transport;
    const method = this.#require().restartIce === null ? 'candidate' : 'restart';
    const usedAddresses = this.#usedAddresses();
    const answer = await this.#ask(this.#source.nodeId, 'source-lost', (node) =>
      node.command('returnPath', { moveId, transportId, method, usedAddresses }),
    );
    if (typeof answer === 'string') return answer;
    const { addresses, restartIce } = answer;
    if (method === 'restart') {
      const hop = candidatesOfRestart(addresses, description.hops);
      if (hop === null || restartIce === undefined) return 'no-fresh-address';
      return this.#tellByRestart({ ice: restartIce, hop }, [{ ...this.#source, unreachable: 'source-lost' }]);
    }
    const hop = candidatesOfHop(addresses, description.hops + 1);
    if (hop === null) return 'no-fresh-address';
    this.#tellCandidates(hop);
    return null;
  }

  /** Asks a node to forget the move. `too-late`: TRANSFER has left. */
  async cancel(nodeId: string, force: boolean): Promise<'cancelled' | 'too-late' | 'unreachable'> {
    const { moveId } = this.#request;
    const fields = { moveId, transportId: this.#transport.transportId, ...(force ? { force } : {}) };
    const node = nodeFor(this.#context, this.#request.connection.session, nodeId);
    if (node === null) return 'unreachable';
    try {
      const { epoch } = await node.command('cancelMove', fields);
      if (nodeId === this.#source.nodeId) this.keptAs = epoch ?? null;
      return 'cancelled';
    } catch (error) {
      return isCommandError(error, 'too-late') ? 'too-late' : 'unreachable';
    }
  }

  async #prepareBy(method: PathMethod): Promise<MoveFailure | null> {
    const { moveId, connection, targetNodeId } = this.#request;
    const { description, transportId } = this.#transport;
    const answer = await this.#ask(targetNodeId, 'target-unreachable', (node) =>
      node.command('prepareMove', {
        moveId,
        transportId,
        sessionId: connection.session.sessionId,
        epoch: this.#intent.targetEpoch,
        sourceNodeId: this.#source.nodeId,
        method,
        ice: description.ice,
        remoteIce: description.remote.ice,
        usedAddresses: method === 'candidate' ? this.#usedAddresses() : [],
        localSsrc: description.localSsrc,
        // Not what would be told now: the source may still send another feed, and its mappings come with the state.
        media: this.#transport.media ?? mediaOf(connection, this.#transport),
        streams: routesOfConnection(connection),
      }),
    );
    if (typeof answer === 'string') return answer;
    const hop =
      method === 'candidate'
        ? candidatesOfHop(answer.addresses, description.hops + 1)
        : candidatesOfRestart(answer.addresses, description.hops);
    const restartIce = method === 'restart' ? (answer.restartIce ?? null) : null;
    if (hop === null || (method === 'restart' && restartIce === null)) {
      await this.cancel(targetNodeId, false);
      return hop === null ? 'no-fresh-address' : 'target-refused';
    }
    this.#prepared = { sealKey: answer.sealKey, hop, restartIce };
    return null;
  }

  /** Offers the restart, and gives the client's credentials to the nodes that answer its checks. */
  async #tellByRestart(
    terms: Omit<RestartTerms, 'moveId'>,
    nodes: readonly CheckedNode[],
  ): Promise<MoveFailure | null> {
    const { moveId, connection } = this.#request;
    const { transportId } = this.#transport;
    const ice = await offerRestart(this.#context, connection, this.#transport, { ...terms, moveId });
    if (ice === null) return 'path-not-proven';
    this.restartAnswered = true;
    const answers = await Promise.all(
      nodes.map(({ nodeId, epoch, unreachable }) =>
        this.#ask(nodeId, unreachable, (node) => node.command('setRemoteIce', { transportId, epoch, ice })),
      ),
    );
    return answers.find((answer) => typeof answer === 'string') ?? null;
  }

  #tellCandidates({ hop, candidates }: Hop): void {
    const { description } = this.#transport;
    this.#transport.description = {
      ...description,
      candidates: [...description.candidates, ...candidates],
      hops: hop,
    };
    const { moveId, connection } = this.#request;
    const inits = candidateInits(description.negotiated, { ice: description.ice, candidates });
    connection.channel.push({ event: 'moveCandidate', moveId, candidates: inits });
  }

  /** A rehearsal by candidate needs an address of the source that the client will not have seen. */
  #hasWayBack(): boolean {
    const used = new Set(this.#usedAddresses());
    const addresses = this.#context.nodes.get(this.#source.nodeId)?.addresses ?? [];
    return addresses.some((address) => !used.has(addressKey(address)));
  }

  #usedAddresses(): string[] {
    return this.#transport.description.candidates.map(addressKey);
  }

  #commonSchema(): number | null {
    const ofSource = this.#context.nodes.get(this.#source.nodeId)?.stateSchemas ?? [];
    return chooseStateSchema(
      ofSource,
      this.#context.nodes.get(this.#request.targetNodeId)?.stateSchemas ?? [],
    );
  }

  #require(): Prepared {
    if (this.#prepared === null) throw new Error('a move is told only after it was prepared');
    return this.#prepared;
  }

  async #ask<T extends object>(
    nodeId: string,
    unreachable: Unreachable,
    command: (node: SessionNode) => Promise<T>,
  ): Promise<T | MoveFailure> {
    const node = nodeFor(this.#context, this.#request.connection.session, nodeId);
    if (node === null) return unreachable;
    try {
      return await command(node);
    } catch (error) {
      if (!(error instanceof NodeCommandError)) throw error;
      this.#context.log.warn(
        { moveId: this.#request.moveId, nodeId, error: error.message },
        'a step of a move was refused',
      );
      return failureOf(error.code, unreachable);
    }
  }
}

function failureOf(code: NodeCommandError['code'], unreachable: Unreachable): MoveFailure {
  switch (code) {
    case 'no-fresh-address':
    case 'no-common-schema':
    case 'relays-not-ready':
    case 'not-connected':
      return code;
    case 'unknown-transport':
    case 'superseded':
    case 'moved':
      return 'transport-closed';
    case 'timeout':
    case 'disconnected':
      return unreachable;
    case 'unknown-move':
    case 'unknown-node':
    case 'busy':
    case 'too-late':
    case 'stopping':
    case 'invalid':
    case 'internal':
    case 'bad-answer':
      return unreachable === 'source-lost' ? 'cancelled' : 'target-refused';
  }
}
