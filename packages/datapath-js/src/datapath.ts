import {
  BOUND_REMOTES_MAX,
  DATAGRAM_BYTES_MAX,
  type Arrival,
  type BoundSocket,
  type Datapath,
  type EgressStatus,
  type FrozenMedia,
  type Grant,
  type Inbound,
  type IngressStatus,
  type LinkId,
  type LinkOptions,
  type MediaRules,
  type OnExceptions,
  type Path,
  type PathId,
  type RemoteAddress,
  type SocketHandle,
  type SocketOptions,
  type SrtpKeys,
  type StreamKey,
  type StreamOptions,
  type StreamStatus,
  type TransportId,
} from '@godwit/datapath';
import { classify } from '@godwit/rtp';
import type { SrtpSender } from '@godwit/transport';
import type { Core } from './core.js';
import { createCounters } from './counters.js';
import { ExceptionQueue } from './exceptions.js';
import { freezeTransport, liftCeilingOf, unfreezeTransport } from './freeze.js';
import { reportGuard } from './forward.js';
import { changeInbound, receiveClientDatagram } from './inbound.js';
import { forgetKeys, ownWithKeys } from './keys.js';
import { receiveLinkDatagram } from './link-inbound.js';
import { LinkTable } from './links.js';
import { applyMedia, detachEgresses } from './media-rules.js';
import { evictBinding, findPath, isInUse, resolvePaths, sendCiphertext, sendHeldOn } from './paths.js';
import { watchProof } from './proof.js';
import { Binding, RemoteTable } from './remotes.js';
import { retransmit } from './retransmit.js';
import { SendSlab } from './send-slab.js';
import { SocketTable, type SocketEntry } from './sockets.js';
import { sizesOf } from './sizes.js';
import { streamKeyText, StreamTable } from './stream.js';
import { thawTransport } from './thaw.js';
import type { ProofWatch } from './transport-entry.js';
import { TransportTable } from './transports.js';
import type { OpenUdpSocket } from './udp-socket.js';

/** Room that SRTCP protection needs behind a compound: tag and index word. */
const RTCP_TRAILER_BYTES = 20;
/** The sender's SSRC in every RTCP packet (RFC 3550 6.4). */
const RTCP_SENDER_OFFSET = 4;

export interface DatapathOptions {
  readonly onExceptions: OnExceptions;
  /** Monotonic microseconds. */
  readonly clockMicros: () => number;
  /** Uniform integer in [min, max], both included. */
  readonly randomInteger: (min: number, max: number) => number;
  readonly openSocket: OpenUdpSocket;
}

function isNewRtcpSender(sender: SrtpSender, compound: Uint8Array): boolean {
  const { buffer, byteOffset, length } = compound;
  const isWhole = length >= RTCP_SENDER_OFFSET + 4;
  return (
    isWhole && sender.nextRtcpIndex(new DataView(buffer, byteOffset).getUint32(RTCP_SENDER_OFFSET)) === null
  );
}

/** The port on node:dgram and node:crypto. Each method is documented there; this class only connects the parts. */
export class JsDatapath implements Datapath {
  readonly #core: Core;

  constructor(options: DatapathOptions) {
    const counters = createCounters();
    const sockets: SocketTable = new SocketTable(counters, options.openSocket, (entry, bytes, from) => {
      if (entry.purpose === 'client') receiveClientDatagram(this.#core, entry, bytes, from);
      else receiveLinkDatagram(this.#core, bytes);
    });
    const slab = new SendSlab(() => sockets.isIdle());
    this.#core = {
      clockMicros: options.clockMicros,
      randomInteger: options.randomInteger,
      counters,
      exceptions: new ExceptionQueue(options.onExceptions, counters),
      sockets,
      slab,
      remotes: new RemoteTable(),
      transports: new TransportTable(),
      streams: new StreamTable(),
      links: new LinkTable(counters, sockets, slab),
    };
  }

  openSocket(options: SocketOptions): Promise<BoundSocket> {
    return this.#core.sockets.open(options);
  }

  closeSocket(socket: SocketHandle): Promise<void> {
    const entry = this.#core.sockets.get(socket);
    for (const transport of this.#core.transports.all()) {
      for (const binding of transport.bindings)
        if (binding.entry === entry) this.#core.remotes.remove(binding);
      transport.bindings = transport.bindings.filter((binding) => binding.entry !== entry);
    }
    return this.#core.sockets.close(socket);
  }

  sendDatagram(socket: SocketHandle, remote: RemoteAddress, bytes: Uint8Array): void {
    const entry = this.#core.sockets.get(socket);
    if (isLimited(bytes) && !this.#mayBeSent(entry, remote, bytes.length)) {
      this.#core.counters.dropped_unproven += 1;
      return;
    }
    this.#core.sockets.send(entry, Buffer.from(bytes), remote.port, remote.address);
  }

  addLink(options: LinkOptions): void {
    this.#core.links.set(options);
  }

  removeLink(linkId: LinkId): void {
    this.#core.links.remove(linkId);
  }

  setLinkClock(linkId: LinkId, offsetMicros: number): void {
    const link = this.#core.links.find(linkId);
    if (link === null) throw new Error(`no link ${linkId}`);
    link.clockOffsetMicros = offsetMicros;
  }

  sendLinkMessage(linkId: LinkId, bytes: Uint8Array): boolean {
    return this.#core.links.sendMessage(linkId, bytes);
  }

  addTransport(transportId: TransportId): void {
    this.#core.transports.add(transportId);
  }

  hasTransport(transportId: TransportId): boolean {
    return this.#core.transports.has(transportId);
  }

  removeTransport(transportId: TransportId): void {
    const transport = this.#core.transports.get(transportId);
    for (const binding of transport.bindings) this.#core.remotes.remove(binding);
    detachEgresses(this.#core, transport, new Map());
    forgetKeys(transport);
    transport.held.clear();
    this.#core.transports.remove(transportId);
  }

  bindRemote(transportId: TransportId, socket: SocketHandle, remote: RemoteAddress): boolean {
    const transport = this.#core.transports.get(transportId);
    const entry = this.#core.sockets.get(socket);
    const existing = this.#core.remotes.find(entry, remote.address, remote.port);
    if (existing?.transport === transport) return true;
    if (existing !== null) {
      if (isInUse(existing, this.#core.clockMicros())) return false;
      existing.transport.bindings = existing.transport.bindings.filter((other) => other !== existing);
    }
    const { packets_received: heardAt } = this.#core.counters;
    const binding = new Binding(this.#core.remotes.nextPathId(), transport, entry, remote, heardAt);
    this.#core.remotes.add(binding);
    transport.bindings.push(binding);
    if (transport.bindings.length > BOUND_REMOTES_MAX) evictBinding(this.#core, transport);
    return true;
  }

  unbindRemote(transportId: TransportId, socket: SocketHandle, remote: RemoteAddress): void {
    const transport = this.#core.transports.get(transportId);
    const binding = this.#core.remotes.find(this.#core.sockets.get(socket), remote.address, remote.port);
    if (binding?.transport !== transport) return;
    this.#core.remotes.remove(binding);
    transport.bindings = transport.bindings.filter((other) => other !== binding);
  }

  boundRemote(
    transportId: TransportId,
    pathId: PathId,
  ): { socket: SocketHandle; remote: RemoteAddress } | null {
    const binding = findPath(this.#core.transports.get(transportId), pathId);
    return binding === null ? null : { socket: binding.socket, remote: binding.remote };
  }

  addMovePeer(transportId: TransportId, linkId: LinkId): void {
    this.#core.transports.get(transportId).addMovePeer(linkId);
  }

  setPaths(transportId: TransportId, paths: readonly Path[]): void {
    const transport = this.#core.transports.get(transportId);
    transport.paths = resolvePaths(this.#core, paths);
    sendHeldOn(this.#core, transport, transport.paths);
  }

  setInbound(transportId: TransportId, inbound: Inbound): void {
    changeInbound(this.#core, this.#core.transports.get(transportId), inbound);
  }

  installKeys(transportId: TransportId, keys: SrtpKeys): void {
    const transport = this.#core.transports.get(transportId);
    if (transport.ownership.kind !== 'keyless') throw new Error(`transport ${transportId} has keys already`);
    transport.ownership = ownWithKeys(keys);
    watchProof(transport, { kind: 'any' });
  }

  watchProof(transportId: TransportId, via: ProofWatch): void {
    watchProof(this.#core.transports.get(transportId), via);
  }

  setMedia(transportId: TransportId, media: MediaRules): void {
    applyMedia(this.#core, this.#core.transports.get(transportId), media);
  }

  sendRtcp(transportId: TransportId, compound: Uint8Array): boolean {
    const transport = this.#core.transports.get(transportId);
    const { ownership, paths } = transport;
    if (ownership.kind !== 'owner' || paths.length === 0) return false;
    if (compound.length + RTCP_TRAILER_BYTES > DATAGRAM_BYTES_MAX)
      throw new RangeError('the compound is too long');
    // As for media: the index space of a sender that the former owner never used is opened by RELEASE.
    if (ownership.sender.isLimited && isNewRtcpSender(ownership.sender, compound)) {
      this.#core.counters.dropped_limited += 1;
      return false;
    }
    const out = this.#core.slab.take(compound.length + RTCP_TRAILER_BYTES);
    out.set(compound);
    const length = ownership.sender.protectRtcp(out, compound.length);
    if (length < 0) {
      reportGuard(this.#core, transport, ownership.sender);
      return false;
    }
    sendCiphertext(this.#core, transport, out.subarray(0, length));
    this.#core.counters.rtcp_sent += 1;
    return true;
  }

  setStream(options: StreamOptions): void {
    this.#core.streams.set(options, this.#core.clockMicros());
  }

  removeStream(stream: StreamKey): void {
    this.#core.streams.remove(stream);
  }

  streamStatus(stream: StreamKey): StreamStatus | null {
    return this.#core.streams.get(stream)?.status() ?? null;
  }

  hasPacket(stream: StreamKey, index: number): boolean {
    return this.#core.streams.get(stream)?.cache.has(index) ?? false;
  }

  requestRepair(stream: StreamKey, linkId: LinkId, indices: readonly number[]): void {
    const entry = this.#core.streams.get(stream);
    if (entry !== null) this.#core.links.sendRepair(linkId, entry, indices);
  }

  retransmit(
    transportId: TransportId,
    ssrc: number,
    sequences: readonly number[],
  ): { stream: StreamKey; missing: number[] } | null {
    return retransmit(this.#core, this.#core.transports.get(transportId), ssrc, sequences);
  }

  takeArrivals(transportId: TransportId): Arrival[] {
    return this.#core.transports.get(transportId).arrivals.take();
  }

  ingressStatus(transportId: TransportId): IngressStatus[] {
    return this.#core.transports.get(transportId).ingress.entries.map((entry) => entry.status());
  }

  egressStatus(transportId: TransportId, stream?: StreamKey): EgressStatus[] {
    const { egresses } = this.#core.transports.get(transportId);
    const wanted = stream === undefined ? null : streamKeyText(stream);
    const statuses: EgressStatus[] = [];
    for (const egress of egresses.values()) {
      if (wanted === null || egress.streamText === wanted) statuses.push(egress.status());
    }
    return statuses;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#core.counters };
  }

  sizes(): Readonly<Record<string, number>> {
    return sizesOf(this.#core);
  }

  freeze(transportId: TransportId): FrozenMedia {
    return freezeTransport(this.#core, this.#core.transports.get(transportId));
  }

  dropKeys(transportId: TransportId): void {
    const transport = this.#core.transports.get(transportId);
    const { ownership } = transport;
    if (ownership.kind === 'owner' && !ownership.sender.isLimited) {
      throw new Error(`transport ${transportId} has no other owner`);
    }
    forgetKeys(transport);
  }

  unfreeze(transportId: TransportId, skip: number, grant: Grant): void {
    unfreezeTransport(this.#core, this.#core.transports.get(transportId), skip, grant);
  }

  thaw(transportId: TransportId, state: FrozenMedia, grant: Grant): void {
    thawTransport(this.#core, this.#core.transports.get(transportId), state, grant);
  }

  liftCeiling(transportId: TransportId, skip = 0): void {
    liftCeilingOf(this.#core.transports.get(transportId), skip);
  }

  async close(): Promise<void> {
    this.#core.exceptions.close();
    for (const transport of this.#core.transports.all()) forgetKeys(transport);
    this.#core.links.removeAll();
    await this.#core.sockets.closeAll();
  }

  #mayBeSent(entry: SocketEntry, { address, port }: RemoteAddress, bytes: number): boolean {
    const binding = this.#core.remotes.find(entry, address, port);
    return binding?.spend(bytes, this.#core.clockMicros()) === true;
  }
}

/** Answers to STUN are not: no larger than their requests, of which the limit knows. */
function isLimited(bytes: Uint8Array): boolean {
  return classify(bytes[0] ?? 0) !== 'stun';
}
