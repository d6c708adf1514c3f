import type { MediaKind } from '@godwit/protocol';
import { MediaSource, type AudioOptions, type VideoOptions } from './media-source.js';
import type { MediaTransport } from './media-transport.js';
import type { Negotiation } from './negotiation.js';
import { pacer } from './process-pacer.js';

export interface PublishOptions {
  readonly audio?: boolean | AudioOptions;
  readonly video?: boolean | VideoOptions;
}

interface Published {
  readonly options: PublishOptions;
  /** While it is sent: one for each track. */
  sources: readonly MediaSource[];
}

/** The streams that a peer sends. They outlive its transports: each new one makes new sources. */
export class PublishedMedia {
  readonly #streams = new Map<string, Published>();
  #transportSequence = 0;

  get streamIds(): readonly string[] {
    return [...this.#streams.keys()];
  }

  add(streamId: string, options: PublishOptions): void {
    this.#streams.set(streamId, { options, sources: [] });
  }

  remove(streamId: string): void {
    for (const source of this.sources(streamId)) source.stop();
    this.#streams.delete(streamId);
  }

  /** Kinds of media in the stream. */
  kinds(streamId: string): readonly MediaKind[] {
    return kindsOf(this.#streams.get(streamId)?.options ?? {});
  }

  /** Published tracks of a stream, or of all. */
  sources(streamId?: string): readonly MediaSource[] {
    if (streamId !== undefined) return this.#streams.get(streamId)?.sources ?? [];
    return [...this.#streams.values()].flatMap(({ sources }) => sources);
  }

  /** Sends the stream as the server's answer has it. Throws when the server takes no media of a kind. */
  start(streamId: string, negotiation: Negotiation, transport: MediaTransport): void {
    const published = this.#streams.get(streamId);
    if (published === undefined) return;
    published.sources = this.kinds(streamId).map((kind) => {
      const answered = negotiation.answer(streamId, kind);
      if (answered?.use.type !== 'send') throw new Error(`the server takes no ${kind} of the stream`);
      const pace = published.options[kind];
      return new MediaSource(kind, answered.use.ssrc, answered.answer, typeof pace === 'object' ? pace : {});
    });
    for (const source of published.sources) {
      source.start(pacer, {
        sendRtp: (packet) => transport.sendRtp(packet),
        nextTransportSequence: () => (this.#transportSequence = (this.#transportSequence + 1) % 0x10000),
      });
    }
  }

  stop(): void {
    for (const published of this.#streams.values()) {
      for (const source of published.sources) source.stop();
      published.sources = [];
    }
  }

  requestKeyFrame(ssrc: number): void {
    this.sources()
      .find((source) => source.ssrc === ssrc)
      ?.requestKeyFrame();
  }
}

export function kindsOf(options: PublishOptions): MediaKind[] {
  return (['audio', 'video'] as const).filter((kind) => (options[kind] ?? false) !== false);
}
