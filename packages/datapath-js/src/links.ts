import {
  LINK_MESSAGE_BYTES_MAX,
  REPAIR_INDICES_MAX,
  type LinkId,
  type LinkOptions,
  type PathId,
} from '@godwit/datapath';
import type { Counters } from './counters.js';
import type { HeldPacket } from './held-packets.js';
import { LINK_REPAIRS_PER_SECOND_MAX } from './limits.js';
import { LinkCipher } from './link-cipher.js';
import {
  FRAME_HEADER_BYTES_MAX,
  FRAME_MESSAGE,
  MESSAGE_HEADER_BYTES,
  REPAIR_INDEX_BYTES,
  writeFromClientHeader,
  writeMediaHeader,
  writeRepairHeader,
  writeToClientHeader,
} from './link-frames.js';
import type { SendSlab } from './send-slab.js';
import type { SocketEntry, SocketTable } from './sockets.js';
import type { SourcePacket } from './source-packet.js';
import type { FeedSource, Stream } from './stream.js';

/** One link to another node. */
export class Link {
  readonly linkId: LinkId;
  readonly entry: SocketEntry;
  readonly address: string;
  readonly port: number;
  readonly cipher: LinkCipher;
  readonly feedSource: FeedSource;
  /** The peer's clock minus ours; null until it was measured. */
  clockOffsetMicros: number | null = null;
  #repairsUntilMicros = 0;
  #repairs = 0;

  constructor(options: LinkOptions, entry: SocketEntry, cipher: LinkCipher) {
    this.linkId = options.linkId;
    this.entry = entry;
    this.address = options.remote.address;
    this.port = options.remote.port;
    this.cipher = cipher;
    this.feedSource = { kind: 'link', linkId: options.linkId };
  }

  /** False when the peer has been sent LINK_REPAIRS_PER_SECOND_MAX packets again in this second. */
  takeRepair(nowMicros: number): boolean {
    if (nowMicros >= this.#repairsUntilMicros) {
      this.#repairsUntilMicros = nowMicros + 1_000_000;
      this.#repairs = 0;
    }
    if (this.#repairs >= LINK_REPAIRS_PER_SECOND_MAX) return false;
    this.#repairs += 1;
    return true;
  }
}

const EMPTY = Buffer.alloc(0);

/** The links by id, and every frame that leaves by them. */
export class LinkTable {
  readonly #counters: Counters;
  readonly #sockets: SocketTable;
  readonly #slab: SendSlab;
  readonly #links = new Map<LinkId, Link>();
  readonly #bySessionId = new Map<string, Link>();
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES_MAX);

  constructor(counters: Counters, sockets: SocketTable, slab: SendSlab) {
    this.#counters = counters;
    this.#sockets = sockets;
    this.#slab = slab;
  }

  get size(): number {
    return this.#links.size;
  }

  /** Throws on an unknown socket or keys of the wrong size. */
  set(options: LinkOptions): void {
    const former = this.#links.get(options.linkId) ?? null;
    const entry = this.#sockets.get(options.socket);
    const link = new Link(options, entry, new LinkCipher(options, former?.cipher ?? null));
    this.remove(options.linkId);
    this.#links.set(link.linkId, link);
    this.#bySessionId.set(sessionText(link.cipher.sessionId, 0), link);
  }

  remove(linkId: LinkId): void {
    const link = this.#links.get(linkId);
    if (link === undefined) return;
    this.#links.delete(linkId);
    const text = sessionText(link.cipher.sessionId, 0);
    if (this.#bySessionId.get(text) === link) this.#bySessionId.delete(text);
    link.cipher.zero();
  }

  removeAll(): void {
    for (const linkId of this.#links.keys()) this.remove(linkId);
  }

  find(linkId: LinkId): Link | null {
    return this.#links.get(linkId) ?? null;
  }

  /** The link whose session id stands in a sealed frame. */
  findBySession(frame: Buffer): Link | null {
    return this.#bySessionId.get(sessionText(frame, 1)) ?? null;
  }

  sendMedia(linkId: LinkId, stream: Stream, packet: SourcePacket): void {
    const { ingressEpoch, encodingId } = stream.options;
    const length = writeMediaHeader(
      this.#header,
      stream.streamIdBytes,
      ingressEpoch,
      encodingId,
      packet.index,
    );
    if (this.#send(linkId, length, packet.bytes.subarray(0, packet.length))) this.#counters.relay_sent += 1;
  }

  sendFromClient(linkId: LinkId, transportIdBytes: Buffer, packet: HeldPacket, isBounced: boolean): void {
    const { origin, arrivedAtMicros } = packet;
    const pathId = origin.kind === 'socket' ? origin.pathId : 0;
    const length = writeFromClientHeader(this.#header, transportIdBytes, isBounced, arrivedAtMicros, pathId);
    if (!this.#send(linkId, length, packet.bytes)) return;
    if (isBounced) this.#counters.from_client_bounced += 1;
    else this.#counters.from_client_sent += 1;
  }

  sendToClient(linkId: LinkId, transportIdBytes: Buffer, ciphertext: Buffer, provenPathId: PathId): void {
    const length = writeToClientHeader(this.#header, transportIdBytes, provenPathId);
    if (this.#send(linkId, length, ciphertext)) this.#counters.to_client_sent += 1;
  }

  /** Split into frames of REPAIR_INDICES_MAX. */
  sendRepair(linkId: LinkId, stream: Stream, indices: readonly number[]): void {
    const length = writeRepairHeader(this.#header, stream.streamIdBytes, stream.key.encodingId);
    for (let from = 0; from < indices.length; from += REPAIR_INDICES_MAX) {
      const some = indices.slice(from, from + REPAIR_INDICES_MAX);
      const payload = Buffer.alloc(some.length * REPAIR_INDEX_BYTES);
      some.forEach((index, at) => payload.writeUIntBE(index, at * REPAIR_INDEX_BYTES, REPAIR_INDEX_BYTES));
      this.#send(linkId, length, payload);
    }
  }

  /** Throws RangeError when too long. */
  sendMessage(linkId: LinkId, bytes: Uint8Array): boolean {
    if (bytes.length > LINK_MESSAGE_BYTES_MAX) throw new RangeError('the link message is too long');
    this.#header[0] = FRAME_MESSAGE;
    return this.#send(linkId, MESSAGE_HEADER_BYTES, bytes);
  }

  #send(linkId: LinkId, headerLength: number, payload: Uint8Array = EMPTY): boolean {
    const link = this.#links.get(linkId);
    if (link === undefined) {
      this.#counters.dropped_no_link += 1;
      return false;
    }
    const frame = link.cipher.seal(this.#slab, this.#header, headerLength, payload);
    this.#sockets.send(link.entry, frame, link.port, link.address);
    return true;
  }
}

function sessionText(bytes: Buffer, offset: number): string {
  return bytes.toString('latin1', offset, offset + 8);
}
