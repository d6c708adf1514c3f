import { randomBytes } from 'node:crypto';
import type { MediaKind, OfferResult, SignallingError } from '@godwit/protocol';
import { offerSdp, type FakeClient } from './fake-client.js';

interface Section {
  readonly mid: string;
  readonly kind: MediaKind;
  readonly role: 'sender' | 'receiver';
  streamId: string | null;
  readonly ssrc: number;
}

const KINDS = ['audio', 'video'] as const;

/**
 * A client that keeps its m-lines as the SDK does: a free one is taken again for the same kind and role, one offer is out
 * at a time, the server's restart offers go first and a superseded offer is made again.
 */
export class CallClient {
  /** The socket of the moment. */
  client: FakeClient;
  readonly sections: Section[] = [];
  readonly answers: string[] = [];
  readonly offers: string[] = [];
  /** Restart offers are answered only while this is not held. */
  answering: Promise<void> = Promise.resolve();
  restarts = 0;
  #ice = credentials();
  #negotiating: Promise<unknown> = Promise.resolve();
  readonly #seen = new Set<string>();
  #restarted: Promise<void> = Promise.resolve();
  #lastSsrc: number;

  constructor(client: FakeClient, firstSsrc = 1_000) {
    this.client = client;
    this.#lastSsrc = firstSsrc;
    void this.#takeRestarts();
  }

  get published(): string[] {
    return this.#streams('sender');
  }
  get subscribed(): string[] {
    return this.#streams('receiver');
  }

  /** Goes on over another socket, which has resumed the connection. */
  resumeOn(client: FakeClient): void {
    this.client = client;
    void this.#takeRestarts();
  }

  async publish(): Promise<string> {
    const { streamId } = await this.client.request<{ streamId: string }>('createStream', {
      name: 'camera',
      hasAudio: true,
      hasVideo: true,
      videoDimensions: { width: 640, height: 480 },
      videoType: 'camera',
    });
    this.#take('sender', streamId);
    await this.negotiate();
    return streamId;
  }

  async unpublish(streamId: string): Promise<void> {
    this.#free('sender', streamId);
    await Promise.all([this.negotiate(), this.client.request('destroyStream', { streamId })]);
  }

  async subscribe(streamId: string): Promise<void> {
    this.#take('receiver', streamId);
    await this.negotiate();
  }

  async unsubscribe(streamId: string): Promise<void> {
    this.#free('receiver', streamId);
    await this.negotiate();
  }

  /** Offers what is wanted now, after what is negotiated already. */
  negotiate(): Promise<OfferResult> {
    const turn = this.#negotiating.then(() => this.#offer());
    this.#negotiating = turn.catch(() => undefined);
    return turn;
  }

  async #offer(): Promise<OfferResult> {
    for (let attempt = 0; ; attempt++) {
      await this.#restarted;
      const sdp = this.#sdp();
      const { publications, subscriptions } = this.#describe();
      this.offers.push(sdp);
      try {
        const result = await this.client.request<OfferResult>('offer', { sdp, publications, subscriptions });
        this.answers.push(result.sdp);
        for (const { mid } of result.refused) {
          const section = this.sections.find((each) => each.mid === mid);
          if (section !== undefined) section.streamId = null;
        }
        return result;
      } catch (error) {
        if ((error as SignallingError).name !== 'OT_OFFER_SUPERSEDED' || attempt > 8) throw error;
      }
    }
  }

  async #takeRestarts(): Promise<void> {
    const { client } = this;
    while (client === this.client) {
      const { restartId } = await client.event('restartOffer', (event) => !this.#seen.has(event.restartId));
      this.#seen.add(restartId);
      this.restarts += 1;
      this.#restarted = this.answering.then(async () => {
        this.#ice = credentials();
        const sdp = this.#sdp().replaceAll('a=setup:actpass', 'a=setup:active');
        await this.client.request('restartAnswer', { restartId, sdp }).catch(() => undefined);
      });
    }
  }

  #sdp(): string {
    const sections = this.sections.map(({ mid, kind, role, streamId, ssrc }) => {
      const direction = streamId === null ? 'inactive' : role === 'sender' ? 'sendonly' : 'recvonly';
      return { mid, kind, direction, ...(direction === 'sendonly' ? { ssrc } : {}) };
    });
    return offerSdp(sections, this.#ice);
  }

  #describe(): Record<'publications' | 'subscriptions', object[]> {
    const of = (role: Section['role']): object[] =>
      this.#streams(role).map((streamId) => {
        const mid = (kind: MediaKind): string | undefined =>
          this.sections.find((each) => each.role === role && each.kind === kind && each.streamId === streamId)
            ?.mid;
        return { streamId, audioMid: mid('audio'), videoMid: mid('video') };
      });
    return { publications: of('sender'), subscriptions: of('receiver') };
  }

  #streams(role: Section['role']): string[] {
    const mine = this.sections.flatMap((each) =>
      each.role === role && each.streamId !== null ? [each.streamId] : [],
    );
    return [...new Set(mine)];
  }

  #take(role: Section['role'], streamId: string): void {
    for (const kind of KINDS) {
      const free = this.sections.find(
        (each) => each.streamId === null && each.kind === kind && each.role === role,
      );
      if (free !== undefined) free.streamId = streamId;
      else
        this.sections.push({
          mid: `${this.sections.length}`,
          kind,
          role,
          streamId,
          ssrc: (this.#lastSsrc += 10),
        });
    }
  }

  #free(role: Section['role'], streamId: string): void {
    for (const section of this.sections)
      if (section.role === role && section.streamId === streamId) section.streamId = null;
  }
}

function credentials(): { ufrag: string; pwd: string } {
  return { ufrag: randomBytes(4).toString('hex'), pwd: randomBytes(16).toString('hex') };
}
