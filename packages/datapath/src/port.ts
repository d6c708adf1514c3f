import type {
  Arrival,
  BoundSocket,
  EgressStatus,
  FrozenMedia,
  Grant,
  Inbound,
  IngressStatus,
  LinkId,
  LinkOptions,
  MediaRules,
  Path,
  PathId,
  RemoteAddress,
  SocketHandle,
  SocketOptions,
  SrtpKeys,
  StreamKey,
  StreamOptions,
  StreamStatus,
  TransportId,
} from './values.js';

/**
 * The packet path: a match-action table. Rules go in by these methods, packets that no rule decides come out as
 * batches of exceptions (given to the constructor of an implementation). Every method is synchronous and atomic
 * between two packets; an unknown id is a programmer's error and throws.
 *
 * An address decides the transport (bindRemote), the SSRC decides the stream (setMedia), the stream decides the
 * egresses. Packets from unbound addresses are counted and dropped.
 */
export interface Datapath {
  // ---- sockets
  openSocket(options: SocketOptions): Promise<BoundSocket>;
  closeSocket(socket: SocketHandle): Promise<void>;
  /**
   * Sends bytes as they are: answers to STUN, which must not be larger than their requests, and DTLS flights, which
   * count towards the limit of an unproven address.
   */
  sendDatagram(socket: SocketHandle, remote: RemoteAddress, bytes: Uint8Array): void;

  // ---- links to other nodes
  /** Replaces an existing link of the same id. */
  addLink(options: LinkOptions): void;
  removeLink(linkId: LinkId): void;
  /** The peer's clock minus ours, microseconds: arrival stamps in its frames are converted by it. */
  setLinkClock(linkId: LinkId, offsetMicros: number): void;
  /** Unreliable; at most LINK_MESSAGE_BYTES_MAX. False when the link is unknown. */
  sendLinkMessage(linkId: LinkId, bytes: Uint8Array): boolean;

  // ---- transports
  /** Starts without keys and paths, inbound `drop`. */
  addTransport(transportId: TransportId): void;
  hasTransport(transportId: TransportId): boolean;
  /** Zeroes its keys. Streams that it fed stay until removeStream. */
  removeTransport(transportId: TransportId): void;
  /**
   * A remote address from which a valid check came: packets from it belong to the transport. Beyond BOUND_REMOTES_MAX
   * the one goes that was not heard for longest, never the one that was proven last. False, and nothing has changed, when the address serves another transport, which
   * proved it: a source address can be forged. To be repeated with every check, since another may have taken its place.
   */
  bindRemote(transportId: TransportId, socket: SocketHandle, remote: RemoteAddress): boolean;
  unbindRemote(transportId: TransportId, socket: SocketHandle, remote: RemoteAddress): void;
  /** The address behind a path id of ours; null when it is not bound any more. */
  boundRemote(
    transportId: TransportId,
    pathId: PathId,
  ): { readonly socket: SocketHandle; readonly remote: RemoteAddress } | null;
  /**
   * The other node of a move of this transport: its frames from and to the client are taken, of other nodes none.
   * Beyond MOVE_PEERS_MAX the oldest goes.
   */
  addMovePeer(transportId: TransportId, linkId: LinkId): void;
  /**
   * Where ciphertext goes: normally one path, two while the new one is unproven. Throws on an unknown socket; links
   * come and go, so without the link packets are counted and dropped (likewise in setInbound and relayTo).
   */
  setPaths(transportId: TransportId, paths: readonly Path[]): void;
  setInbound(transportId: TransportId, inbound: Inbound): void;
  installKeys(transportId: TransportId, keys: SrtpKeys): void;
  /**
   * Emits one `proof` for the next authenticated, fresh packet by the named way. A socket serves many addresses, and the
   * client may still send from its former one, so a watch names the address too.
   */
  watchProof(
    transportId: TransportId,
    via:
      | { kind: 'socket'; socket: SocketHandle; remote: RemoteAddress }
      | { kind: 'link'; linkId: LinkId }
      | { kind: 'any' },
  ): void;
  /**
   * Replaces all media rules of the transport; what stays keeps its state (matched by SSRC and stream). Streams may be
   * named before setStream. An SSRC that was used before goes on above its highest index. Throws, and changes
   * nothing, when two egress rules name one SSRC.
   */
  setMedia(transportId: TransportId, media: MediaRules): void;
  /** Protects and sends one compound. False without keys, path, or by the guard's refusal. */
  sendRtcp(transportId: TransportId, compound: Uint8Array): boolean;

  // ---- streams
  /** Creates or updates. */
  setStream(options: StreamOptions): void;
  removeStream(stream: StreamKey): void;
  streamStatus(stream: StreamKey): StreamStatus | null;
  /** True when the cache holds the packet. */
  hasPacket(stream: StreamKey, index: number): boolean;
  /** Asks the node at the other end for packets from its cache. */
  requestRepair(stream: StreamKey, linkId: LinkId, indices: readonly number[]): void;
  /**
   * Answers a NACK of a subscriber by RTX (RFC 4588). Returns the stream and the source indices that the cache
   * lacks; null when there is no such egress or it has no RTX. Unmapped numbers are ignored.
   */
  retransmit(
    transportId: TransportId,
    ssrc: number,
    sequences: readonly number[],
  ): { stream: StreamKey; missing: number[] } | null;

  // ---- reading
  takeArrivals(transportId: TransportId): Arrival[];
  ingressStatus(transportId: TransportId): IngressStatus[];
  /** Of one stream, or of all. */
  egressStatus(transportId: TransportId, stream?: StreamKey): EgressStatus[];
  counters(): Readonly<Record<string, number>>;
  /** What it holds now, by name: transports, bindings, held packets, cached bytes. Each is bounded. */
  sizes(): Readonly<Record<string, number>>;

  // ---- moving (HANDOVER 2 and 4)
  /**
   * Stops encryption and decryption at once and returns the state. Keys stay inside, unused, until dropKeys or
   * unfreeze. Inbound becomes `hold`. Throws, and changes nothing, when the transport has no keys, is frozen already
   * or is still limited by a grant: what it passed on would reach beyond its own ceiling.
   */
  freeze(transportId: TransportId): FrozenMedia;
  /**
   * Forgets the keys: the transport has another owner. Throws for an owner that no grant limits, since nobody else may
   * have the keys then.
   */
  dropKeys(transportId: TransportId): void;
  /**
   * The source takes a frozen transport back: every space goes on `skip` indices above what freeze reported and
   * may use `grant` from there. Inbound becomes `own`, held packets are taken first. As after thaw, an SSRC that had
   * never been used waits (its packets are dropped, no exception) until liftCeiling.
   */
  unfreeze(transportId: TransportId, skip: number, grant: Grant): void;
  /**
   * The target goes on with a transport whose rules it already holds. All or nothing: on an error nothing has
   * changed. Inbound becomes `own`; held packets are taken, then egresses catch up from the stream caches.
   */
  thaw(transportId: TransportId, state: FrozenMedia, grant: Grant): void;
  /**
   * RELEASE has come, or the other owner has forgotten the move. Nothing happens without keys. With `skip` every space
   * goes on that many indices above its ceiling: the other owner was declared dead, and may yet have used them.
   */
  liftCeiling(transportId: TransportId, skip?: number): void;

  /** Closes every socket and zeroes every key. */
  close(): Promise<void>;
}
