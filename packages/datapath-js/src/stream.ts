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
import { FORMER_RELAY_MICROS, RELAY_JUMP_MAX, RELAY_PACKETS_PER_MICRO_MAX } from './limits.js';
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
  /** Links to which it was relayed until lately, and until when they may ask for repairs. */
  readonly #formerRelays = new Map<LinkId, number>();
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

  update(options: StreamOptions, nowMicros: number): void {
    for (const [linkId, until] of this.#formerRelays)
      if (until <= nowMicros) this.#formerRelays.delete(linkId);
    for (const linkId of this.options.relayTo) {
      if (!options.relayTo.includes(linkId)) this.#formerRelays.set(linkId, nowMicros + FORMER_RELAY_MICROS);
    }
    this.options = options;
  }

  /** The peer may have packets from the cache: it is relayed the stream, or was when its ingress moved. */
  isRelayedTo(linkId: LinkId, nowMicros: number): boolean {
    return this.options.relayTo.includes(linkId) || (this.#formerRelays.get(linkId) ?? 0) > nowMicros;
  }

  /**
   * False for an index that no publisher can have reached by now. The window would follow it, and every packet of an
   * honest owner after that would be stale.
   */
  isPlausible(index: number, nowMicros: number): boolean {
    const { highest } = this.window;
    if (highest < 0) return true;
    const silentMicros = Math.max(0, nowMicros - (this.lastFedAtMicros ?? nowMicros));
    return index - highest <= RELAY_JUMP_MAX + silentMicros * RELAY_PACKETS_PER_MICRO_MAX;
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

  set(options: StreamOptions, nowMicros: number): void {
    const text = streamKeyText(options);
    const existing = this.#streams.get(text);
    if (existing !== undefined && existing.options.kind === options.kind) existing.update(options, nowMicros);
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
