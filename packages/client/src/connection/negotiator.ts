import type { OfferResult, StreamMids } from '@godwit/protocol';
import { OTError, otError } from '../errors.js';
import { OFFERS_SUPERSEDED_MAX } from '../limits.js';
import { log } from '../log.js';

/** The part of an RTCPeerConnection that negotiating needs. */
export interface NegotiablePeer {
  readonly signalingState: RTCSignalingState;
  readonly localDescription: { sdp: string } | null;
  setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void>;
  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void>;
}

/** A server-offered ICE restart. */
export interface RestartOffer {
  restartId: string;
  sdp: string;
}

/** What an offer carries beside its SDP: everything that the client holds. */
export interface OfferedStreams {
  publications: StreamMids[];
  subscriptions: StreamMids[];
}

export interface NegotiatorDelegate {
  /** What that offer carries; what was asked for since it was made is left to the next one. */
  describe(offer: string): OfferedStreams;
  offer(sdp: string, streams: OfferedStreams): Promise<OfferResult>;
  /** Last look at a description of the server before it is applied. */
  adapt(sdp: string): string;
  answered(result: OfferResult): void;
  restartAnswer(restartId: string, sdp: string): Promise<unknown>;
}

interface Waiter {
  /** How often a restart overtook the offer. */
  superseded: number;
  resolve(): void;
  reject(error: unknown): void;
}

type Next = { kind: 'answer'; result: OfferResult } | { kind: 'restart' };

/**
 * Offer and answer over one peer connection: changes of one turn share an offer, one offer is out at a time,
 * and the server's restart offers go first. The client is the polite side (W3C "perfect negotiation"): it rolls
 * its own offer back for the server's and makes it again afterwards.
 */
export class Negotiator {
  readonly #peer: NegotiablePeer;
  readonly #delegate: NegotiatorDelegate;
  #waiters: Waiter[] = [];
  /** Those whose offer is under way. */
  #offered: readonly Waiter[] = [];
  readonly #restarts: RestartOffer[] = [];
  #restartArrived: (() => void) | undefined;
  /** The answer of an offer that was rolled back: it is awaited, so that one offer is out at a time. */
  #stale: Promise<unknown> | undefined;
  #running = false;
  #closed = false;

  constructor(peer: NegotiablePeer, delegate: NegotiatorDelegate) {
    this.#peer = peer;
    this.#delegate = delegate;
  }

  /** Resolves when an offer made after this call has been answered and the answer applied. */
  request(): Promise<void> {
    if (this.#closed) return Promise.reject(otError('OT_NOT_CONNECTED'));
    return new Promise<void>((resolve, reject) => {
      this.#waiters.push({ superseded: 0, resolve, reject });
      this.#schedule();
    });
  }

  /** Takes a restart offer of the server. */
  restart(offer: RestartOffer): void {
    if (this.#closed) return;
    this.#restarts.push(offer);
    this.#restartArrived?.();
    this.#schedule();
  }

  /** Fails what waits; nothing is negotiated any more. */
  close(): void {
    this.#closed = true;
    this.#restarts.length = 0;
    this.#restartArrived?.();
    // A closed peer connection, or a socket that is away, may never say how the offer under way ended.
    this.#fail([...this.#offered, ...this.#takeWaiters()], otError('OT_NOT_CONNECTED'));
  }

  #schedule(): void {
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (!this.#closed && (this.#waiters.length > 0 || this.#restarts.length > 0)) {
      const restart = this.#restarts.shift();
      if (restart !== undefined) await this.#applyRestart(restart);
      else if (this.#stale !== undefined) await this.#awaitStale(this.#stale);
      else await this.#offer();
    }
    this.#running = false;
  }

  async #offer(): Promise<void> {
    const batch = this.#takeWaiters();
    this.#offered = batch;
    try {
      await this.#peer.setLocalDescription();
      // Those who waited have been told; the server would take this offer for one of the next peer connection.
      if (this.#closed) return;
      const next = await this.#sendOffer();
      if (next.kind === 'restart') {
        await this.#rollBack();
        this.#requeue(batch);
        return;
      }
      const sdp = this.#delegate.adapt(next.result.sdp);
      await this.#peer.setRemoteDescription({ type: 'answer', sdp });
      this.#delegate.answered(next.result);
      for (const waiter of batch) waiter.resolve();
    } catch (error) {
      await this.#rollBack();
      // The server's restart offer is already behind this answer on the same socket.
      if (error instanceof OTError && error.name === 'OT_OFFER_SUPERSEDED') this.#requeue(batch);
      else this.#fail(batch, error);
    }
  }

  #requeue(batch: Waiter[]): void {
    for (const waiter of batch) waiter.superseded += 1;
    const spent = batch.filter(({ superseded }) => superseded > OFFERS_SUPERSEDED_MAX);
    this.#fail(spent, otError('OT_OFFER_SUPERSEDED'));
    this.#waiters = [...batch.filter((waiter) => !spent.includes(waiter)), ...this.#waiters];
  }

  async #sendOffer(): Promise<Next> {
    if (this.#restarts.length > 0) return { kind: 'restart' };
    const sdp = this.#peer.localDescription?.sdp;
    if (sdp === undefined) throw new Error('the peer connection made no offer');
    const reply = this.#delegate.offer(sdp, this.#delegate.describe(sdp));
    const answer = reply.then((result): Next => ({ kind: 'answer', result }));
    const next = await Promise.race([answer, this.#restartSignal()]);
    if (next.kind === 'restart') this.#stale = answer.catch(() => undefined);
    return next;
  }

  async #awaitStale(stale: Promise<unknown>): Promise<void> {
    const over = await Promise.race([stale.then(() => true), this.#restartSignal().then(() => false)]);
    if (over) this.#stale = undefined;
  }

  #restartSignal(): Promise<Next> {
    return new Promise((resolve) => {
      this.#restartArrived = () => resolve({ kind: 'restart' });
    });
  }

  async #applyRestart(restart: RestartOffer): Promise<void> {
    try {
      await this.#peer.setRemoteDescription({ type: 'offer', sdp: this.#delegate.adapt(restart.sdp) });
      await this.#peer.setLocalDescription();
      const sdp = this.#peer.localDescription?.sdp;
      if (sdp === undefined) throw new Error('the peer connection made no answer');
      await this.#delegate.restartAnswer(restart.restartId, sdp);
    } catch (error) {
      // The server gives such a restart up by itself; the old path goes on.
      log.warn('a restart offer was not applied', error);
      await this.#rollBack();
    }
  }

  async #rollBack(): Promise<void> {
    const state = this.#peer.signalingState;
    try {
      if (state === 'have-local-offer') await this.#peer.setLocalDescription({ type: 'rollback' });
      if (state === 'have-remote-offer') await this.#peer.setRemoteDescription({ type: 'rollback' });
    } catch (error) {
      log.warn('rolling back failed', error);
    }
  }

  #takeWaiters(): Waiter[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }

  #fail(waiters: readonly Waiter[], error: unknown): void {
    for (const waiter of waiters) waiter.reject(error);
  }
}
