import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CodecFormat, MediaKind } from '@godwit/protocol';
import { parseAnswer, parseOffer } from '@godwit/rtp';
import { offerSdp } from '../testing/fake-client.js';
import { answerSdp, restartOfferSdp, type LocalEnd } from './describe.js';
import { negotiate } from './negotiate.js';
import { emptyNegotiation, type NegotiatedState } from './state.js';

// Any sequence of what a client and its session can do, against what must hold for the transport's whole life.

const KINDS = ['audio', 'video'] as const;
const STREAMS = 6;
const local: LocalEnd = {
  ice: { ufrag: 'srvr', pwd: 's'.repeat(24) },
  fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') },
  candidates: [{ address: '127.0.0.1', port: 1_000, family: 'IPv4', priority: 1 }],
};
const CODECS: Record<MediaKind, CodecFormat[]> = {
  audio: [{ payloadType: 111, name: 'opus', clockRate: 48_000, channels: 2 }],
  video: [{ payloadType: 96, name: 'vp8', clockRate: 90_000, rtxPayloadType: 97 }],
};

interface Line {
  readonly mid: string;
  readonly kind: MediaKind;
  readonly role: 'sender' | 'receiver';
  streamId: string | null;
}

type Action =
  | { readonly type: 'publish' | 'unpublish' | 'subscribe' | 'unsubscribe'; readonly stream: number }
  /** The stream ends at its publisher, or comes back. */
  | { readonly type: 'end' | 'begin'; readonly stream: number }
  /** The offer fails after it was negotiated (the node did not answer): both sides roll back, SSRCs stay used. */
  | { readonly type: 'fail'; readonly stream: number }
  /** A move or a restart: the same state is described anew, to whoever owns now. */
  | { readonly type: 'restart' };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    type: fc.constantFrom('publish', 'unpublish', 'subscribe', 'unsubscribe', 'end', 'begin', 'fail'),
    stream: fc.nat(STREAMS - 1),
  }),
  fc.constant({ type: 'restart' } as const),
);

/** A client with the SDK's way of taking m-lines again, and the server's state beside it. */
class Pair {
  lines: Line[] = [];
  state: NegotiatedState = emptyNegotiation('1');
  readonly live = new Set(Array.from({ length: STREAMS }, (_, index) => streamOf(index)));
  /** Most streams that were sent, and received, at once. */
  readonly most = { sender: 0, receiver: 0 };
  readonly #owners = new Map<number, string>();
  readonly #types = new Map<string, string>();
  #lastSsrc = 0;

  apply(step: Action): void {
    switch (step.type) {
      case 'publish':
        return this.#take('sender', `mine-${step.stream}`);
      case 'subscribe':
        return this.#take('receiver', streamOf(step.stream));
      case 'unpublish':
        return this.#free('sender', `mine-${step.stream}`);
      case 'unsubscribe':
        return this.#free('receiver', streamOf(step.stream));
      case 'end':
        this.live.delete(streamOf(step.stream));
        return;
      case 'begin':
        this.live.add(streamOf(step.stream));
        return;
      case 'fail':
        return this.#fail(streamOf(step.stream));
      case 'restart':
        this.state = { ...this.state, version: this.state.version + 1 };
        return this.#check(restartOfferSdp(this.state, local), 'offer');
    }
  }

  #take(role: Line['role'], streamId: string): void {
    if (this.lines.some((line) => line.role === role && line.streamId === streamId)) return;
    for (const kind of KINDS) {
      const free = this.lines.find(
        (line) => line.streamId === null && line.kind === kind && line.role === role,
      );
      if (free !== undefined) free.streamId = streamId;
      else this.lines.push({ mid: `${this.lines.length}`, kind, role, streamId });
    }
    this.#count(role);
    this.#negotiate();
  }

  #free(role: Line['role'], streamId: string): void {
    for (const line of this.lines) if (line.role === role && line.streamId === streamId) line.streamId = null;
    this.#negotiate();
  }

  /** Rolled back: the lines stay as transceivers do, their streams leave, and the next offer holds them. */
  #fail(streamId: string): void {
    const before = this.state;
    const isNew = !this.lines.some((line) => line.streamId === streamId);
    this.#take('receiver', streamId);
    if (!isNew) return;
    const { version, ssrcsUsed } = this.state;
    this.state = { ...before, version, ssrcsUsed };
    for (const line of this.lines) if (line.streamId === streamId) line.streamId = null;
  }

  #count(role: Line['role']): void {
    const busy = this.lines.filter(
      (line) => line.role === role && line.kind === 'video' && line.streamId !== null,
    );
    this.most[role] = Math.max(this.most[role], busy.length);
  }

  #negotiate(): void {
    if (this.lines.length === 0) return;
    const offer = parseOffer(
      offerSdp(
        this.lines.map(({ mid, kind, role, streamId }) => ({
          mid,
          kind,
          direction: streamId === null ? 'inactive' : role === 'sender' ? 'sendonly' : 'recvonly',
        })),
      ),
    );
    if (!offer.ok) throw new Error(offer.reason);
    const mids = (role: Line['role']) =>
      [
        ...new Set(
          this.lines.flatMap((line) => (line.role === role && line.streamId !== null ? [line.streamId] : [])),
        ),
      ].map((streamId) => {
        const mid = (kind: MediaKind) =>
          this.lines.find((line) => line.role === role && line.kind === kind && line.streamId === streamId)
            ?.mid;
        return { streamId, audioMid: mid('audio'), videoMid: mid('video') };
      });
    const { version } = this.state;
    const result = negotiate(
      offer.offer,
      { publications: mids('sender'), subscriptions: mids('receiver') },
      this.state,
      {
        mayPublish: () => true,
        published: (streamId, kind) => (this.live.has(streamId) ? CODECS[kind] : null),
        newSsrc: () => (this.#lastSsrc += 1),
      },
    );
    if (!result.ok) throw new Error(result.reason);
    this.state = result.state;
    expect(this.state.version).toBe(version + 1);
    for (const { mid } of result.refused)
      for (const line of this.lines) if (line.mid === mid) line.streamId = null;
    this.#check(answerSdp(this.state, local), 'answer');
  }

  #check(sdp: string, type: 'answer' | 'offer'): void {
    const parsed = type === 'answer' ? parseAnswer(sdp) : parseOffer(sdp);
    if (this.state.sections.length === 0) return;
    if (!parsed.ok) throw new Error(parsed.reason);
    const { sections } = this.state;
    const mids = sections.map(({ mid }) => mid);
    expect(new Set(mids).size).toBe(mids.length);
    // Lines keep their place; a client that rolled back may have more than were ever agreed.
    expect(mids).toEqual(this.lines.slice(0, mids.length).map(({ mid }) => mid));
    const directions = [...sdp.matchAll(/^a=(sendonly|recvonly|inactive)\r$/gm)].map(
      ([, direction]) => direction,
    );
    expect(directions).toEqual(
      sections.map(
        ({ use }) => ({ publish: 'recvonly', subscribe: 'sendonly' })[use.type as string] ?? 'inactive',
      ),
    );
    for (const { use, kind } of sections) if (use.type === 'subscribe') this.#own(use, kind);
    for (const section of sections) this.#stable(section);
  }

  /** A number belongs to one stream's kind for ever, as media or as RTX (HANDOVER 3). */
  #own(
    { streamId, ssrc, rtxSsrc }: { streamId: string; ssrc: number; rtxSsrc?: number },
    kind: string,
  ): void {
    const used = new Set(this.state.ssrcsUsed);
    for (const [number, what] of [
      [ssrc, 'media'],
      [rtxSsrc, 'rtx'],
    ] as const) {
      if (number === undefined) continue;
      const owner = `${streamId} ${kind} ${what}`;
      expect(this.#owners.get(number) ?? owner).toBe(owner);
      this.#owners.set(number, owner);
      expect(used.has(number)).toBe(true);
    }
  }

  /** What a payload type or an extension id means never changes in a bundle. */
  #stable({ codecs, extensions }: NegotiatedState['sections'][number]): void {
    const meanings: [string, string][] = [
      ...codecs.map(({ payloadType, name }): [string, string] => [`payload ${payloadType}`, name]),
      ...Object.entries(extensions).map(([name, id]): [string, string] => [`extension ${id}`, name]),
    ];
    for (const [key, meaning] of meanings) {
      expect(this.#types.get(key) ?? meaning).toBe(meaning);
      this.#types.set(key, meaning);
    }
  }
}

const streamOf = (index: number): string => `stream-${index}`;

describe('negotiation in any order', () => {
  it('keeps mids, SSRCs, payload types and extension ids consistent with its descriptions', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const pair = new Pair();
        for (const step of actions) pair.apply(step);
        expect(pair.lines.length).toBeLessThanOrEqual(2 * (pair.most.sender + pair.most.receiver));
      }),
      { numRuns: 60 },
    );
  });

  it('does not let the description grow with 200 cycles of publishing and subscribing', () => {
    const pair = new Pair();
    const cycle = (stream: number): number => {
      for (const type of ['publish', 'subscribe', 'unpublish', 'unsubscribe'] as const)
        pair.apply({ type, stream });
      return answerSdp({ ...pair.state, version: 0 }, local).length;
    };
    const first = cycle(0);
    for (let round = 1; round < 200; round++) expect(cycle(round % STREAMS)).toBe(first);
    expect(pair.state.sections).toHaveLength(4);
    // Two SSRCs for each video subscription and one for audio; never one twice.
    expect(new Set(pair.state.ssrcsUsed).size).toBe(600);
  });
});
