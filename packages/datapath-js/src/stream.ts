import {
  AUDIO_CACHE_PACKETS,
  RELAY_DEDUPE_BITS,
  VIDEO_CACHE_PACKETS,
  type LinkId,
  type StreamKey,
  type StreamOptions,
  type StreamStatus,
  type TransportId,
} from '@godwit/datapath';
import type { Egress } from './egress.js';
import { IndexWindow } from './index-window.js';
import { PacketCache } from './packet-cache.js';

/** Who fed a packet into a stream. */
export type FeedSource =
  | { readonly kind: 'transport'; readonly transportId: TransportId }
  | { readonly kind: 'link'; readonly linkId: LinkId };

export function streamKeyText(key: StreamKey): string {
  return `${key.streamId}/${key.encodingId}`;
}

/** One encoding of one stream: what has been seen of it, what is cached, where it goes. */
export class Stream {
  readonly key: StreamKey;
  readonly streamIdBytes: Buffer;
  options: StreamOptions;
  readonly window = new IndexWindow(RELAY_DEDUPE_BITS);
  readonly cache: PacketCache;
  /** Shared with the table: egresses may be there before the stream. */
  readonly egresses: readonly Egress[];
  lastFedAtMicros: number | null = null;
  isLocallyFed = false;
  packets = 0;
  octets = 0;

  constructor(options: StreamOptions, egresses: readonly Egress[]) {
    this.key = { streamId: options.streamId, encodingId: options.encodingId };
    this.streamIdBytes = Buffer.from(options.streamId, 'hex');
    this.options = options;
    this.cache = new PacketCache(options.kind === 'video' ? VIDEO_CACHE_PACKETS : AUDIO_CACHE_PACKETS);
    this.egresses = egresses;
  }

  accepts(linkId: LinkId, ingressEpoch: number): boolean {
    for (const from of this.options.acceptFrom) {
      if (from.linkId === linkId && from.ingressEpoch === ingressEpoch) return true;
    }
    return false;
  }

  status(): StreamStatus {
    const { highest } = this.window;
    return {
      highestIndex: highest < 0 ? null : highest,
      lastFedAtMs: this.lastFedAtMicros === null ? null : this.lastFedAtMicros / 1000,
      cachedSpanMs: this.cache.spanMicros() / 1000,
      packets: this.packets,
      octets: this.octets,
    };
  }
}

/** Streams and the egresses that hang on them. An egress may be ruled before its stream is known. */
export class StreamTable {
  readonly #streams = new Map<string, Stream>();
  readonly #egresses = new Map<string, Egress[]>();

  get(key: StreamKey): Stream | null {
    return this.#streams.get(streamKeyText(key)) ?? null;
  }

  all(): IterableIterator<Stream> {
    return this.#streams.values();
  }

  getByText(text: string): Stream | null {
    return this.#streams.get(text) ?? null;
  }

  set(options: StreamOptions): void {
    const text = streamKeyText(options);
    const existing = this.#streams.get(text);
    if (existing !== undefined && existing.options.kind === options.kind) existing.options = options;
    else this.#streams.set(text, new Stream(options, this.#egressesOf(text)));
  }

  remove(key: StreamKey): void {
    const text = streamKeyText(key);
    this.#streams.delete(text);
    if (this.#egresses.get(text)?.length === 0) this.#egresses.delete(text);
  }

  attach(egress: Egress): void {
    this.#egressesOf(egress.streamText).push(egress);
  }

  detach(egress: Egress): void {
    const list = this.#egresses.get(egress.streamText);
    const at = list?.indexOf(egress) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0 && !this.#streams.has(egress.streamText)) this.#egresses.delete(egress.streamText);
  }

  #egressesOf(text: string): Egress[] {
    let list = this.#egresses.get(text);
    if (list === undefined) this.#egresses.set(text, (list = []));
    return list;
  }
}
