import type { Datapath, Exception, Path } from '@godwit/datapath';
import type { TransportMedia } from '@godwit/protocol';
import type { DtlsHandshake, IceLiteAgent, IceOutput, IcePair } from '@godwit/transport';
import { isSamePair } from '@godwit/transport';
import { ANSWERS_DELAYED_MAX } from '../limits.js';
import type { Role } from './role.js';

export interface TransportHostInit {
  readonly transportId: string;
  readonly sessionId: string;
  readonly localSsrc: number;
  readonly media: TransportMedia;
  readonly role: Role;
  readonly ice: IceLiteAgent;
  /** Only the node where the transport began has one, and only until authenticated media has come. */
  readonly dtls: DtlsHandshake | null;
}

/** What the node has to do after an input of a transport. */
export type HostOutput =
  /** The client selected another address of this node. */
  { readonly kind: 'nominated'; readonly pair: IcePair } | { readonly kind: 'consentExpired' };

/**
 * One transport at this node: its ICE agent, its handshake and the paths of its ciphertext. The datapath holds the
 * keys and the media; moves decide its role.
 */
export class TransportHost {
  readonly transportId: string;
  readonly sessionId: string;
  readonly localSsrc: number;
  media: TransportMedia;
  role: Role;
  ice: IceLiteAgent;
  dtls: DtlsHandshake | null;
  /** The client's address at this node, proven or not. */
  #pair: IcePair | null = null;
  /** Authenticated media has come from `pair` itself. */
  #proven = false;
  /** While `pair` waits for its proof: an address of the client that has proven itself. */
  #provenPair: IcePair | null = null;
  #connected = false;
  /** Answers to checks that wait. */
  #answers: { readonly dueMs: number; readonly pair: IcePair; readonly bytes: Buffer }[] = [];
  readonly #datapath: Datapath;

  constructor(datapath: Datapath, init: TransportHostInit) {
    this.#datapath = datapath;
    this.transportId = init.transportId;
    this.sessionId = init.sessionId;
    this.localSsrc = init.localSsrc;
    this.media = init.media;
    this.role = init.role;
    this.ice = init.ice;
    this.dtls = init.dtls;
  }

  /** Authenticated media has come at some time in the transport's life. */
  get connected(): boolean {
    return this.#connected;
  }
  set connected(connected: boolean) {
    this.#connected = connected;
  }

  get pair(): IcePair | null {
    return this.#pair;
  }

  /**
   * `leavingMs`: how long what is on its way to the client's former address still needs. An answer that lets the client
   * close that address waits so long; by then everything goes to the new address too.
   */
  handleStun(
    nowMs: number,
    exception: Extract<Exception, { kind: 'stun' }>,
    leavingMs: number,
  ): HostOutput[] {
    const pair: IcePair = { socket: exception.socket, remote: exception.remote };
    return this.#apply(this.ice.handleBindingRequest(nowMs, exception.bytes, pair), nowMs + leavingMs);
  }

  tick(nowMs: number): HostOutput[] {
    return this.#apply(this.ice.tick(nowMs), nowMs);
  }

  /** Sends the answers that are due. */
  sendAnswers(nowMs: number): void {
    if (this.#answers.length === 0) return;
    for (const { dueMs, pair, bytes } of this.#answers) {
      if (nowMs >= dueMs) this.#datapath.sendDatagram(pair.socket, pair.remote, bytes);
    }
    this.#answers = this.#answers.filter(({ dueMs }) => nowMs < dueMs);
  }

  /**
   * The client has selected `pair`, says a check; but a check can be replayed from any address. So the address that has
   * proven itself stays beside it until authenticated media comes from the new one (decision 0019).
   */
  usePair(pair: IcePair): void {
    if (this.#pair !== null && isSamePair(this.#pair, pair)) return;
    if (this.#proven) this.#provenPair = this.#pair;
    this.#pair = pair;
    this.#proven = this.#provenPair !== null && isSamePair(this.#provenPair, pair);
    if (this.#proven) this.#provenPair = null;
  }

  /** Authenticated media has come from this address, whichever one the client was said to have selected. */
  prove(pair: IcePair): void {
    this.#pair ??= pair;
    if (isSamePair(this.#pair, pair)) {
      this.#proven = true;
      this.#provenPair = null;
    } else if (!this.#proven) {
      this.#provenPair = pair;
    }
  }

  /** Paths by way of this node's own sockets: the client's address, and until it has proven itself one that has. */
  ownPaths(): Path[] {
    const pairs: { pair: IcePair; proven: boolean }[] = [];
    if (this.#pair !== null) pairs.push({ pair: this.#pair, proven: this.#proven });
    if (this.#provenPair !== null) pairs.push({ pair: this.#provenPair, proven: true });
    return pairs.map(({ pair, proven }) => ({ kind: 'socket', ...pair, proven }));
  }

  /** One proof when authenticated media comes from the client's address here; none is needed twice. */
  watchPair(): void {
    if (this.#pair === null || this.#proven) return;
    this.#datapath.watchProof(this.transportId, { kind: 'socket', ...this.#pair });
  }

  setPaths(paths: readonly Path[]): void {
    this.#datapath.setPaths(this.transportId, paths);
  }

  /**
   * Browsers send media on a pair before they nominate it, so a target that waited for the nomination would have no
   * path when the owner sees the proof.
   */
  #firstPair(pair: IcePair): void {
    if (this.role.name !== 'target' || this.#pair !== null) return;
    this.usePair(pair);
    this.setPaths(this.ownPaths());
  }

  #apply(outputs: readonly IceOutput[], dueMs: number): HostOutput[] {
    const results: HostOutput[] = [];
    for (const output of outputs) {
      switch (output.kind) {
        case 'send': {
          const { pair, bytes, endsGeneration } = output;
          // No answer overtakes one that waits: the client would take the pair of the first for the better one.
          const [first] = this.#answers;
          const waits = endsGeneration === true || first !== undefined;
          if (waits && this.#answers.length < ANSWERS_DELAYED_MAX)
            this.#answers.push({ dueMs: first?.dueMs ?? dueMs, pair, bytes });
          else this.#datapath.sendDatagram(pair.socket, pair.remote, bytes);
          break;
        }
        case 'validated':
          this.#datapath.bindRemote(this.transportId, output.pair.socket, output.pair.remote);
          this.#firstPair(output.pair);
          break;
        case 'nominated':
          results.push({ kind: 'nominated', pair: output.pair });
          break;
        case 'consentExpired':
          results.push({ kind: 'consentExpired' });
          break;
        case 'rejected':
          break;
      }
    }
    return results;
  }
}
