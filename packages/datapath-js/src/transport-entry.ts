import {
  MOVE_PEERS_MAX,
  type Inbound,
  type LinkId,
  type PathId,
  type RemoteAddress,
  type SocketHandle,
  type SrtpKeys,
  type TransportId,
} from '@godwit/datapath';
import type { SrtpReceiver, SrtpSender } from '@godwit/transport';
import { ArrivalRing } from './arrivals.js';
import type { Egress } from './egress.js';
import { HeldPackets } from './held-packets.js';
import { IngressTable } from './ingress-table.js';
import type { Binding } from './remotes.js';
import type { SocketEntry } from './sockets.js';
import type { FeedSource } from './stream.js';

/** Who holds the keys and what may be done with them. */
export type Ownership =
  | { readonly kind: 'keyless' }
  | {
      readonly kind: 'owner' | 'frozen';
      readonly keys: SrtpKeys;
      readonly sender: SrtpSender;
      readonly receiver: SrtpReceiver;
      /** Bytes that protection adds to an RTP packet. */
      readonly tagBytes: number;
    };

export type ResolvedPath =
  | {
      readonly kind: 'socket';
      readonly socket: SocketHandle;
      readonly entry: SocketEntry;
      readonly remote: RemoteAddress;
      readonly isProven: boolean;
    }
  /** `provenPathId` 0: none. */
  | { readonly kind: 'link'; readonly linkId: LinkId; readonly provenPathId: PathId };

export type ProofWatch =
  | { readonly kind: 'socket'; readonly socket: SocketHandle; readonly remote: RemoteAddress }
  | { readonly kind: 'link'; readonly linkId: LinkId }
  | { readonly kind: 'any' };

export const KEYLESS: Ownership = { kind: 'keyless' };

/** Everything this datapath knows of one transport. */
export class TransportEntry {
  readonly id: TransportId;
  /** The id as it stands in a link frame. */
  readonly idBytes: Buffer;
  readonly feedSource: FeedSource;
  inbound: Inbound = { kind: 'drop' };
  ownership: Ownership = KEYLESS;
  paths: readonly ResolvedPath[] = [];
  bindings: Binding[] = [];
  /** Nodes of its moves, newest last. */
  movePeers: readonly LinkId[] = [];
  watches: ProofWatch[] = [];
  generation = 0;
  ingress = new IngressTable([], null);
  egresses: ReadonlyMap<number, Egress> = new Map();
  readonly held = new HeldPackets();
  readonly arrivals = new ArrivalRing();
  transportCcNext = 0;
  /** Added to this datapath's clock to get the clock of abs-send-time. */
  absSendTimeOffsetMicros = 0;
  unknownSsrcNextMicros = 0;

  constructor(id: TransportId) {
    this.id = id;
    this.idBytes = Buffer.from(id, 'hex');
    this.feedSource = { kind: 'transport', transportId: id };
  }

  addMovePeer(linkId: LinkId): void {
    this.movePeers = [...this.movePeers.filter((other) => other !== linkId), linkId].slice(-MOVE_PEERS_MAX);
  }
}
