import { randomInt } from 'node:crypto';
import type { MediaKind, StreamMids } from '@godwit/protocol';
import type { PeerSection } from '@godwit/rtp';
import {
  offerSdp,
  readAnswer,
  readRestartOffer,
  restartAnswerSdp,
  type LocalEnd,
  type LocalSection,
} from './descriptions.js';
import type { MediaTransport } from './media-transport.js';
import { RefusedRequest, type SignallingClient } from './signalling-client.js';

/** An offer is made again so often when the server's restart offers overtake it. */
const OFFERS_SUPERSEDED_MAX = 5;

export interface Section extends LocalSection {
  readonly role: 'sender' | 'receiver';
}

export interface NegotiationDelegate {
  readonly transport: MediaTransport;
  /** The transport takes the place of one that is lost. */
  readonly isReplacement: boolean;
  signalling(): SignallingClient;
  /** A section that receives a stream has its answer: the server's SSRC is in it. */
  answered(section: Section, answer: PeerSection): void;
}

/** The m-lines of one peer, and the offers that bring them to the server: one at a time, always with everything. */
export class Negotiation {
  readonly #delegate: NegotiationDelegate;
  readonly #sessionId = String(randomInt(2 ** 47));
  readonly #answers = new Map<string, PeerSection>();
  #sections: readonly Section[] = [];
  #version = 0;
  #last: Promise<void> = Promise.resolve();
  #queued: Promise<void> | null = null;
  #connecting: Promise<void> | null = null;

  constructor(delegate: NegotiationDelegate) {
    this.#delegate = delegate;
  }

  get sections(): readonly Section[] {
    return this.#sections;
  }

  /** Media is agreed upon, one way or the other. */
  get hasMedia(): boolean {
    return [...this.#answers.values()].some(({ direction }) => direction !== 'inactive');
  }

  /** Takes a free section of that kind and role, or makes one: m-lines keep their places. */
  use(kind: MediaKind, role: Section['role'], use: Section['use']): void {
    const free = this.#sections.findIndex(
      (each) => each.kind === kind && each.role === role && each.use.type === 'inactive',
    );
    const mid = String(free === -1 ? this.#sections.length : free);
    const section: Section = { mid, kind, role, use };
    this.#sections = free === -1 ? [...this.#sections, section] : this.#sections.with(free, section);
  }

  /** Ids of the streams that are sent or received. */
  streamIds(type: 'send' | 'receive'): string[] {
    return [...new Set(this.#sections.flatMap(({ use }) => (use.type === type ? [use.streamId] : [])))];
  }

  /** Frees the sections of a stream. */
  release(streamId: string): void {
    this.#sections = this.#sections.map((section) =>
      isOf(section, streamId) ? { ...section, use: { type: 'inactive' } } : section,
    );
  }

  /** The answered section of a stream's kind; null when the server refused it, or was not asked. */
  answer(streamId: string, kind: MediaKind): { use: Section['use']; answer: PeerSection } | null {
    const section = this.#sections.find((each) => each.kind === kind && isOf(each, streamId));
    const answer = section === undefined ? undefined : this.#answers.get(section.mid);
    return section === undefined || answer === undefined ? null : { use: section.use, answer };
  }

  /** Resolves when an offer made after this call is answered and the transport is connected. */
  negotiate(): Promise<void> {
    if (this.#queued !== null) return this.#queued;
    const turn = this.#last.then(() => {
      this.#queued = null;
      return this.#offer();
    });
    this.#queued = turn;
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Takes a server-offered ICE restart. It goes before an offer that is out: control refuses that one. */
  async restart(restartId: string, sdp: string): Promise<void> {
    this.#delegate.transport.restart(readRestartOffer(sdp));
    const answer = restartAnswerSdp(this.#localEnd(), this.#sections);
    await this.#delegate.signalling().request('restartAnswer', { restartId, sdp: answer });
  }

  async #offer(): Promise<void> {
    // An offer needs an m-line, even if nothing is sent or received yet.
    if (this.#sections.length === 0) this.use('audio', 'receiver', { type: 'inactive' });
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#offerOnce(this.#sections);
        return;
      } catch (error) {
        const isSuperseded = error instanceof RefusedRequest && error.name === 'OT_OFFER_SUPERSEDED';
        if (!isSuperseded || attempt === OFFERS_SUPERSEDED_MAX) throw error;
      }
    }
  }

  async #offerOnce(sections: readonly Section[]): Promise<void> {
    const { transport, isReplacement } = this.#delegate;
    const { sdp, refused } = await this.#delegate.signalling().request('offer', {
      sdp: offerSdp(this.#localEnd(), sections),
      publications: midsOf(sections, 'send'),
      subscriptions: midsOf(sections, 'receive'),
      ...(isReplacement && this.#connecting === null ? { newTransport: true } : {}),
    });
    const server = readAnswer(sdp);
    for (const answer of server.sections) this.#answers.set(answer.mid, answer);
    const refusedMids = new Set(refused.map(({ mid }) => mid));
    this.#sections = this.#sections.map((section) =>
      refusedMids.has(section.mid) ? { ...section, use: { type: 'inactive' } } : section,
    );
    for (const section of sections) {
      const answer = this.#answers.get(section.mid);
      if (answer !== undefined && !refusedMids.has(section.mid)) this.#delegate.answered(section, answer);
    }
    this.#connecting ??= transport.connect(server);
    await this.#connecting;
    const [first] = refused;
    if (first !== undefined)
      throw new Error(`stream ${first.streamId} was refused: ${first.name} ${first.message}`);
  }

  #localEnd(): LocalEnd {
    const { ice, fingerprint } = this.#delegate.transport;
    return { sessionId: this.#sessionId, version: this.#version++, ice, fingerprint };
  }
}

export function isOf({ use }: Section, streamId: string): boolean {
  return use.type !== 'inactive' && use.streamId === streamId;
}

/** The m-lines of each stream, as an offer names them beside its SDP. */
function midsOf(sections: readonly Section[], type: 'send' | 'receive'): StreamMids[] {
  const streams = new Map<string, StreamMids>();
  for (const { mid, kind, use } of sections) {
    if (use.type !== type) continue;
    const entry = streams.get(use.streamId) ?? { streamId: use.streamId };
    entry[kind === 'audio' ? 'audioMid' : 'videoMid'] = mid;
    streams.set(use.streamId, entry);
  }
  return [...streams.values()];
}
