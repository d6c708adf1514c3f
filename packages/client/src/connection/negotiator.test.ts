import type { OfferResult } from '@godwit/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { OFFERS_SUPERSEDED_MAX } from '../limits.js';
import { otError } from '../errors.js';
import { settle } from '../testing/fakePlatform.js';
import { Negotiator } from './negotiator.js';
import type { NegotiablePeer } from './negotiator.js';

/** Signalling states of RFC 8829, 3.5.1, as far as offers, answers and rollback go. */
class FakePeer implements NegotiablePeer {
  signalingState: RTCSignalingState = 'stable';
  localDescription: { sdp: string } | null = null;
  readonly log: string[] = [];
  refuse: string | undefined;
  #made = 0;

  async setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
    await Promise.resolve();
    if (description?.type === 'rollback') return this.#to('have-local-offer', 'stable', 'rollback');
    this.#made += 1;
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    this.localDescription = { sdp: `${type} ${this.#made}` };
    if (type === 'answer') return this.#to('have-remote-offer', 'stable', 'local answer');
    this.#to('stable', 'have-local-offer', 'local offer');
  }

  async setRemoteDescription({ type, sdp }: RTCSessionDescriptionInit): Promise<void> {
    await Promise.resolve();
    if (sdp !== undefined && sdp === this.refuse) throw new Error('this SDP is refused');
    if (type === 'offer') this.#to('stable', 'have-remote-offer', `remote ${sdp ?? ''}`);
    else if (type === 'answer') this.#to('have-local-offer', 'stable', `remote ${sdp ?? ''}`);
    else this.#to('have-remote-offer', 'stable', 'remote rollback');
  }

  #to(from: RTCSignalingState, to: RTCSignalingState, what: string): void {
    if (this.signalingState !== from) throw new Error(`${what} in ${this.signalingState}`);
    this.signalingState = to;
    this.log.push(what);
  }
}

interface SentOffer {
  sdp: string;
  resolve(result: OfferResult): void;
  reject(error: unknown): void;
}

let peer: FakePeer;
let offers: SentOffer[];
let restartAnswers: string[];
let adapted: string[];
let negotiator: Negotiator;

beforeEach(() => {
  peer = new FakePeer();
  offers = [];
  restartAnswers = [];
  adapted = [];
  negotiator = new Negotiator(peer, {
    describe: () => ({ publications: [], subscriptions: [] }),
    offer: (sdp) => new Promise((resolve, reject) => offers.push({ sdp, resolve, reject })),
    adapt: (sdp) => {
      adapted.push(sdp);
      return sdp;
    },
    answered: () => undefined,
    restartAnswer: (restartId, sdp) => Promise.resolve(restartAnswers.push(`${restartId}: ${sdp}`)),
  });
});

const answer = (sdp: string): OfferResult => ({ sdp, refused: [] });

describe('offers', () => {
  it('carry all changes of one turn', async () => {
    const changes = [negotiator.request(), negotiator.request(), negotiator.request()];
    await settle();
    expect(offers).toHaveLength(1);
    offers[0]?.resolve(answer('answer'));
    await Promise.all(changes);
    expect(peer.signalingState).toBe('stable');
  });

  it('go out one at a time, and a later change gets an offer of its own', async () => {
    const first = negotiator.request();
    await settle();
    const second = negotiator.request();
    await settle();
    expect(offers).toHaveLength(1);
    offers[0]?.resolve(answer('first'));
    await first;
    await settle();
    expect(offers).toHaveLength(2);
    offers[1]?.resolve(answer('second'));
    await second;
  });

  it('that fail are rolled back, and the next one works', async () => {
    const first = negotiator.request();
    await settle();
    offers[0]?.reject(otError('OT_PERMISSION_DENIED'));
    await expect(first).rejects.toMatchObject({ code: 1500 });
    expect(peer.signalingState).toBe('stable');
    const second = negotiator.request();
    await settle();
    offers[1]?.resolve(answer('second'));
    await second;
  });

  it('whose answer the browser refuses are rolled back', async () => {
    peer.refuse = 'bad answer';
    const change = negotiator.request();
    await settle();
    offers[0]?.resolve(answer('bad answer'));
    await expect(change).rejects.toThrow('refused');
    expect(peer.signalingState).toBe('stable');
  });

  it('fail when the connection closes', async () => {
    const change = negotiator.request();
    negotiator.close();
    await expect(change).rejects.toMatchObject({ name: 'OT_NOT_CONNECTED' });
    await expect(negotiator.request()).rejects.toMatchObject({ name: 'OT_NOT_CONNECTED' });
  });

  it('fail when the connection closes before their answer comes', async () => {
    const changes = [negotiator.request(), negotiator.request()];
    await settle();
    expect(offers).toHaveLength(1);
    negotiator.close();
    for (const change of changes) await expect(change).rejects.toMatchObject({ name: 'OT_NOT_CONNECTED' });
    offers[0]?.resolve(answer('late'));
    await settle();
    expect(peer.log).not.toContain('remote late');
  });

  it('fail when the connection closes while the browser still makes them, and are not sent', async () => {
    let made: () => void = () => undefined;
    peer.setLocalDescription = () => new Promise((resolve) => (made = resolve));
    const change = negotiator.request();
    await settle();
    negotiator.close();
    await expect(change).rejects.toMatchObject({ name: 'OT_NOT_CONNECTED' });
    peer.localDescription = { sdp: 'offer' };
    made();
    await settle();
    expect(offers).toEqual([]);
  });
});

describe('a restart offer', () => {
  it('is answered at once when nothing else is under way', async () => {
    negotiator.restart({ restartId: 'r1', sdp: 'restart' });
    await settle();
    expect(restartAnswers).toEqual(['r1: answer 1']);
    expect(peer.log).toEqual(['remote restart', 'local answer']);
    // What the encoder is told of Opus holds after a move too.
    expect(adapted).toEqual(['restart']);
  });

  it('rolls our offer back, goes first, and our change is offered again', async () => {
    const change = negotiator.request();
    await settle();
    negotiator.restart({ restartId: 'r1', sdp: 'restart' });
    await settle();
    expect(peer.log).toEqual(['local offer', 'rollback', 'remote restart', 'local answer']);
    expect(offers).toHaveLength(1);
    offers[0]?.reject(otError('OT_OFFER_SUPERSEDED'));
    await settle();
    offers[1]?.resolve(answer('second'));
    await change;
    expect(peer.log.slice(4)).toEqual(['local offer', 'remote second']);
  });

  it('makes a late answer to the rolled-back offer harmless', async () => {
    const change = negotiator.request();
    await settle();
    negotiator.restart({ restartId: 'r1', sdp: 'restart' });
    await settle();
    offers[0]?.resolve(answer('late'));
    await settle();
    expect(peer.log).not.toContain('remote late');
    offers[1]?.resolve(answer('second'));
    await change;
  });

  it('that comes while the answer to an overtaken offer is awaited is not delayed', async () => {
    const change = negotiator.request();
    await settle();
    negotiator.restart({ restartId: 'r1', sdp: 'restart 1' });
    await settle();
    negotiator.restart({ restartId: 'r2', sdp: 'restart 2' });
    await settle();
    expect(restartAnswers).toHaveLength(2);
    offers[0]?.resolve(answer('late'));
    await settle();
    offers[1]?.resolve(answer('second'));
    await change;
  });

  it('that the browser refuses leaves the connection as it was', async () => {
    peer.refuse = 'bad restart';
    negotiator.restart({ restartId: 'r1', sdp: 'bad restart' });
    await settle();
    expect(restartAnswers).toEqual([]);
    expect(peer.signalingState).toBe('stable');
    const change = negotiator.request();
    await settle();
    offers[0]?.resolve(answer('answer'));
    await change;
  });
});

it('an offer that the server calls superseded is made again, but not for ever', async () => {
  const change = expect(negotiator.request()).rejects.toMatchObject({ name: 'OT_OFFER_SUPERSEDED' });
  for (let turn = 0; turn <= OFFERS_SUPERSEDED_MAX; turn += 1) {
    await settle();
    offers.at(-1)?.reject(otError('OT_OFFER_SUPERSEDED'));
  }
  await change;
  expect(offers).toHaveLength(OFFERS_SUPERSEDED_MAX + 1);
});
