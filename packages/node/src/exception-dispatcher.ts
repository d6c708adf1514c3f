import type { Exception, SrtpKeys } from '@godwit/datapath';
import { PEER_MESSAGE_CLASS } from '@godwit/sfu';
import type { DtlsOutput } from '@godwit/transport';
import { HANDOVER_MESSAGE_CLASS } from './handover/messages.js';
import type { MoveTable } from './handover/move-table.js';
import { runSource } from './handover/source-effects.js';
import { runTarget } from './handover/target-effects.js';
import { CLOCK_MESSAGE_CLASS } from './link/link-clock.js';
import { ANSWER_DELAY_MAX_MS, FORMER_ADDRESS_DRAIN_MS, GUARD_LOG_INTERVAL_MS } from './limits.js';
import type { NodeContext } from './node-context.js';
import { removeTransport } from './transport/remove-transport.js';
import { zeroKeys } from './transport/zero-keys.js';
import type { HostOutput, TransportHost } from './transport/transport-host.js';

type Of<K extends Exception['kind']> = Extract<Exception, { kind: K }>;

/** Gives every exception of the datapath to the part that decides it. */
export class ExceptionDispatcher {
  readonly #context: NodeContext;
  readonly #moves: MoveTable;
  #nextGuardLogMs = Number.NEGATIVE_INFINITY;

  constructor(context: NodeContext, moves: MoveTable) {
    this.#context = context;
    this.#moves = moves;
  }

  /**
   * Gaps first: a proof in the same batch may freeze a transport, and a packet that had been overtaken before that, unknown
   * to whoever decides it, would be lost to it for good.
   */
  dispatch(batch: readonly Exception[]): void {
    for (const exception of batch) if (exception.kind === 'gap') this.#one(exception);
    for (const exception of batch) if (exception.kind !== 'gap') this.#one(exception);
  }

  /** Clockwork of the transports; the moves have their own. */
  tick(nowMs: number): void {
    for (const host of this.#context.transports.values()) {
      if (host.dtls !== null) this.#dtlsOutputs(host, host.dtls.tick(nowMs), null);
      host.sendAnswers(nowMs);
      if (host.role.name === 'relay') {
        if (nowMs >= host.role.untilMs) removeTransport(this.#context, host.transportId);
      } else if (host.role.name === 'owner' && this.#moves.sourceOf(host.transportId) === undefined) {
        this.#hostOutputs(host, host.tick(nowMs));
      }
    }
  }

  #one(exception: Exception): void {
    const nowMs = this.#context.clockMs();
    switch (exception.kind) {
      case 'stun':
        this.#stun(nowMs, exception);
        return;
      case 'dtls':
        this.#dtls(nowMs, exception);
        return;
      case 'rtcp':
        this.#context.router.handleRtcp(nowMs, exception);
        return;
      case 'gap':
        this.#context.router.handleGap(nowMs, exception);
        return;
      case 'proof':
        this.#proof(exception);
        return;
      case 'linkMessage':
        this.#linkMessage(nowMs, exception);
        return;
      case 'unknownSsrc':
        return;
      case 'guard':
        this.#guardRefused(nowMs, exception);
        return;
    }
  }

  #guardRefused(nowMs: number, exception: Of<'guard'>): void {
    if (nowMs < this.#nextGuardLogMs) return;
    this.#nextGuardLogMs = nowMs + GUARD_LOG_INTERVAL_MS;
    this.#context.log.error(exception, 'the nonce guard refused an encryption');
  }

  #stun(nowMs: number, exception: Of<'stun'>): void {
    const host = this.#context.transports.findByStun(exception.bytes);
    if (host === null || (host.role.name === 'relay' && !host.role.answersChecks)) return;
    this.#hostOutputs(host, host.handleStun(nowMs, exception, this.#leavingMs(host)));
  }

  /** What the other node of a move has sent to the client's former address has arrived after this time. */
  #leavingMs({ role, transportId }: TransportHost): number {
    const peer =
      role.name === 'target'
        ? role.sourceNodeId
        : this.#moves.sourceOf(transportId)?.move.options.targetNodeId;
    const roundTripMs = peer === undefined ? 0 : (this.#context.links.roundTripMs(peer) ?? 0);
    return Math.min(roundTripMs + FORMER_ADDRESS_DRAIN_MS, ANSWER_DELAY_MAX_MS);
  }

  #hostOutputs(host: TransportHost, outputs: readonly HostOutput[]): void {
    for (const output of outputs) {
      if (output.kind === 'consentExpired') this.#close(host, 'consent-expired');
      else this.#nominated(host, output.pair);
    }
  }

  /** The client selected an address of this node. What follows from it depends on what we are to the transport. */
  #nominated(host: TransportHost, pair: Parameters<TransportHost['usePair']>[0]): void {
    switch (host.role.name) {
      case 'owner': {
        host.usePair(pair);
        const source = this.#moves.sourceOf(host.transportId);
        if (source !== undefined) {
          runSource(this.#context, source, source.move.nominatedHere());
          return;
        }
        host.setPaths(host.ownPaths());
        host.watchPair();
        return;
      }
      case 'target': {
        host.usePair(pair);
        host.setPaths(host.ownPaths());
        const target = this.#moves.targetOf(host.transportId);
        if (target !== undefined) runTarget(this.#context, target, target.move.nominated());
        return;
      }
      case 'relay':
        return;
    }
  }

  #dtls(nowMs: number, { transportId, bytes, socket, remote }: Of<'dtls'>): void {
    const host = transportId === null ? undefined : this.#context.transports.get(transportId);
    if (host?.dtls == null) return;
    this.#dtlsOutputs(host, host.dtls.handleDatagram(nowMs, bytes), { socket, remote });
  }

  #dtlsOutputs(host: TransportHost, outputs: readonly DtlsOutput[], to: TransportHost['pair']): void {
    const { datapath, log } = this.#context;
    for (const output of outputs) {
      switch (output.kind) {
        case 'send': {
          const pair = to ?? host.pair;
          if (pair === null) break;
          for (const datagram of output.datagrams) datapath.sendDatagram(pair.socket, pair.remote, datagram);
          break;
        }
        case 'finished':
          this.#handshakeFinished(host, output.keys, to);
          break;
        case 'failed':
          log.warn({ transportId: host.transportId, reason: output.reason }, 'a DTLS handshake failed');
          this.#close(host, 'dtls-failed');
          break;
      }
    }
  }

  #handshakeFinished(host: TransportHost, keys: SrtpKeys, from: TransportHost['pair']): void {
    const { datapath, router } = this.#context;
    const { transportId } = host;
    datapath.installKeys(transportId, keys);
    zeroKeys(keys);
    datapath.setInbound(transportId, { kind: 'own' });
    // A handshake ends only with somebody who reads what is sent to that address.
    if (from !== null) host.prove(from);
    host.setPaths(host.ownPaths());
    datapath.setMedia(transportId, host.media);
    router.setTransport(transportId, host.localSsrc, host.media);
    datapath.watchProof(transportId, { kind: 'any' });
  }

  #proof({ transportId, via }: Of<'proof'>): void {
    const host = this.#context.transports.get(transportId);
    if (host?.role.name !== 'owner') return;
    if (!host.connected) this.#connected(host, host.role.epoch);
    if (via.kind === 'socket') {
      host.prove({ socket: via.socket, remote: via.remote });
      if (this.#moves.sourceOf(transportId) === undefined) host.setPaths(host.ownPaths());
    }
    this.#moves.proven(transportId, via);
  }

  /** Authenticated media: the client has our last flight, the handshake is over for good. */
  #connected(host: TransportHost, epoch: number): void {
    host.connected = true;
    host.dtls?.confirm();
    host.dtls?.close();
    host.dtls = null;
    this.#context.router.activate(host.transportId);
    this.#context.report({ event: 'transportConnected', transportId: host.transportId, epoch });
  }

  #linkMessage(nowMs: number, { linkId, bytes }: Of<'linkMessage'>): void {
    this.#context.links.heard(linkId, nowMs);
    switch (bytes[0]) {
      case HANDOVER_MESSAGE_CLASS:
        this.#moves.receive(linkId, bytes);
        return;
      case CLOCK_MESSAGE_CLASS:
        this.#context.links.receiveClock(linkId, nowMs, bytes);
        return;
      case PEER_MESSAGE_CLASS:
        this.#context.router.handlePeerMessage(nowMs, linkId, bytes);
        return;
      default:
        return;
    }
  }

  #close(host: TransportHost, reason: string): void {
    const { transportId, role } = host;
    this.#moves.forgetTransport(transportId);
    removeTransport(this.#context, transportId);
    this.#context.report({ event: 'transportClosed', transportId, epoch: role.epoch, reason });
  }
}
