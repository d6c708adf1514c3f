import type { TransportMedia } from '@godwit/protocol';

/** 16 hex digits; 8 bytes in a link frame. */
export type TransportId = string;
/** Id of the peer node at the other end of a link. */
export type LinkId = string;
export type SocketHandle = number;
/** One bound address of a client at one node; never 0, and never given again while that node's process lives. */
export type PathId = number;

export interface RemoteAddress {
  readonly address: string;
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
}

export interface SocketOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
  /** `client`: STUN, DTLS and SRTP of browsers. `link`: sealed frames of other nodes. */
  readonly purpose: 'client' | 'link';
}
export interface BoundSocket extends RemoteAddress {
  readonly handle: SocketHandle;
}

/** SRTP protection profiles by their DTLS-SRTP names (RFC 5764 4.1.2, RFC 7714 14.2). */
export type SrtpProfile = 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM' | 'AES_CM_128_HMAC_SHA1_80';

/** Master keys as DTLS exported them. The datapath copies them and zeroes its copy when it forgets them. */
export interface SrtpKeys {
  readonly profile: SrtpProfile;
  readonly localKey: Buffer;
  readonly localSalt: Buffer;
  readonly remoteKey: Buffer;
  readonly remoteSalt: Buffer;
}

/** Where ciphertext for a client leaves. */
export type Path =
  | {
      readonly kind: 'socket';
      readonly socket: SocketHandle;
      readonly remote: RemoteAddress;
      /**
       * False until authenticated SRTP or SRTCP has come from this address: then at most
       * UNPROVEN_AMPLIFICATION_MAX times the bytes that it sent are sent to it.
       */
      readonly proven: boolean;
    }
  /**
   * Another node holds the client's path: it puts the ciphertext on the wire. `provenPathId`: authenticated media has
   * come from that address of the client there (as `proof` said), so it gets everything without the limit of an
   * unproven address, whatever that node takes for the client's address, and however late it hears of the proof itself.
   */
  | { readonly kind: 'link'; readonly linkId: LinkId; readonly provenPathId?: PathId };

/** What becomes of a client's SRTP and SRTCP. */
export type Inbound =
  /** Decrypted here (needs keys). */
  | { readonly kind: 'own' }
  /**
   * Sent as it is to the owner. What another node had sent here goes on too, marked as bounced; what comes marked is
   * kept until ownership is decided and never sent on again: no loops. `final`: the other node has been sent the state,
   * so everything goes marked: it keeps the packets until it has taken the state, and bounces none. `returning`: the
   * state was refused here, so what that node had sent with it goes back, marked.
   */
  | {
      readonly kind: 'forward';
      readonly linkId: LinkId;
      readonly final?: boolean;
      readonly returning?: boolean;
    }
  /** Kept, at most HELD_PACKETS_MAX, until the next setInbound or thaw. */
  | { readonly kind: 'hold' }
  | { readonly kind: 'drop' };

/** One encoding of one stream: the unit of caching, relaying and egress. */
export interface StreamKey {
  readonly streamId: string;
  readonly encodingId: number;
}

export interface StreamOptions extends StreamKey {
  readonly kind: 'audio' | 'video';
  readonly clockRate: number;
  /** Stamped on relayed frames while a local transport feeds the stream. */
  readonly ingressEpoch: number;
  /** Links that get every packet that a local transport feeds. Packets from a link are never relayed on. */
  readonly relayTo: readonly LinkId[];
  /** Links and ingress epochs from which frames are taken. */
  readonly acceptFrom: readonly { readonly linkId: LinkId; readonly ingressEpoch: number }[];
}

export interface LinkOptions {
  readonly linkId: LinkId;
  readonly socket: SocketHandle;
  readonly remote: RemoteAddress;
  /** 8 bytes that both ends derived: frames of another session are dropped. */
  readonly sessionId: Buffer;
  /** AES-256-GCM, one key a direction; the nonce is salt XOR a 64-bit frame counter. */
  readonly sendKey: Buffer;
  readonly sendSalt: Buffer;
  readonly receiveKey: Buffer;
  readonly receiveSalt: Buffer;
}

/** Media rules of one transport, as control states them. */
export type MediaRules = TransportMedia;

// ---------------------------------------------------------------- the moving part of a transport

export interface FrozenReceive {
  readonly ssrc: number;
  /** 48-bit SRTP index (31-bit for SRTCP) of the newest packet. */
  readonly highestIndex: number;
  /** REPLAY_WINDOW_BITS bits; bit i set: highestIndex - i has been seen. */
  readonly window: Buffer;
}
export interface FrozenSend {
  readonly ssrc: number;
  /** Lowest index never used: the next owner starts here. */
  readonly nextIndex: number;
}
export interface FrozenIngress extends StreamKey {
  /** SSRCs as learned or signalled. */
  readonly ssrc: number;
  readonly rtxSsrc: number | null;
}
/** out index = source index + indexOffset, from the given source index on. */
export interface FrozenMapping {
  readonly fromSourceIndex: number;
  readonly indexOffset: number;
}
export interface FrozenEgress {
  readonly ssrc: number;
  /** Null: nothing was ever sent. */
  readonly lastSourceIndex: number | null;
  readonly timestampOffset: number;
  /** Newest last, at most EGRESS_MAPPINGS_MAX; covers the cache span. */
  readonly mappings: readonly FrozenMapping[];
  readonly packets: number;
  readonly octets: number;
}
/** transport-cc arrivals not yet reported. Ages, never absolute times. */
export interface FrozenArrival {
  readonly sequence: number;
  readonly ageMicros: number;
}
/** Everything of a transport that changes with packets. Key bytes only in Buffers. */
export interface FrozenMedia {
  readonly keys: SrtpKeys;
  readonly receive: readonly FrozenReceive[];
  readonly receiveRtcp: readonly FrozenReceive[];
  readonly send: readonly FrozenSend[];
  readonly sendRtcp: readonly FrozenSend[];
  readonly ingress: readonly FrozenIngress[];
  readonly egress: readonly FrozenEgress[];
  /** Next number of the transport-wide counter towards the client. */
  readonly transportCcNext: number;
  readonly arrivals: readonly FrozenArrival[];
  /** abs-send-time clock of this transport (6.18 fixed point seconds, modulo 64 s), as a value at freeze. */
  readonly absSendTime: number;
}

/** Indices that a new owner may use. */
export interface Grant {
  /** [N, N + count) for each space; null lifts the ceiling. */
  readonly count: number | null;
}

// ---------------------------------------------------------------- exceptions

/** What the datapath does not decide, handed up in batches. Buffers belong to the receiver. */
export type Exception =
  | {
      readonly kind: 'stun';
      readonly socket: SocketHandle;
      readonly remote: RemoteAddress;
      readonly bytes: Buffer;
      /** Clock of the datapath, ms. */
      readonly atMs: number;
    }
  | {
      readonly kind: 'dtls';
      readonly socket: SocketHandle;
      readonly remote: RemoteAddress;
      /** Null when the address is bound to no transport. */
      readonly transportId: TransportId | null;
      readonly bytes: Buffer;
      readonly atMs: number;
    }
  /** Decrypted, authenticated, not replayed compound RTCP. */
  | {
      readonly kind: 'rtcp';
      readonly transportId: TransportId;
      readonly generation: number;
      readonly bytes: Buffer;
      readonly atMs: number;
    }
  /** First authenticated packet of a transport (its handshake has ended), or the first by a watched path. */
  | {
      readonly kind: 'proof';
      readonly transportId: TransportId;
      readonly generation: number;
      readonly via:
        | { readonly kind: 'socket'; readonly socket: SocketHandle; readonly remote: RemoteAddress }
        | { readonly kind: 'link'; readonly linkId: LinkId; readonly pathId: PathId };
      readonly atMs: number;
    }
  /** Source indices [fromIndex, fromIndex + count) of a stream are missing. */
  | {
      readonly kind: 'gap';
      readonly stream: StreamKey;
      readonly fromIndex: number;
      readonly count: number;
      /** Who fed the packet that showed the gap. */
      readonly source:
        | { readonly kind: 'transport'; readonly transportId: TransportId }
        | { readonly kind: 'link'; readonly linkId: LinkId };
      readonly atMs: number;
    }
  /** Media for which no ingress rule fits. */
  | {
      readonly kind: 'unknownSsrc';
      readonly transportId: TransportId;
      readonly generation: number;
      readonly ssrc: number;
      readonly payloadType: number;
      readonly atMs: number;
    }
  | { readonly kind: 'linkMessage'; readonly linkId: LinkId; readonly bytes: Buffer; readonly atMs: number }
  /** The nonce guard refused an encryption: a bug or an exhausted grant, never normal. */
  | {
      readonly kind: 'guard';
      readonly transportId: TransportId;
      readonly ssrc: number;
      readonly index: number;
      readonly reason: 'belowFloor' | 'aboveCeiling' | 'reused';
    };

export type OnExceptions = (batch: readonly Exception[]) => void;

/** Arrivals of packets that carried a transport-wide number, in order of arrival. */
export interface Arrival {
  readonly sequence: number;
  /** Clock of the datapath, microseconds; already converted when another node's socket received it. */
  readonly atMicros: number;
}

export interface StreamStatus {
  readonly highestIndex: number | null;
  readonly lastFedAtMs: number | null;
  /** Time between the oldest and the newest cached packet, ms. */
  readonly cachedSpanMs: number;
  readonly packets: number;
  readonly octets: number;
}

export interface EgressStatus {
  readonly ssrc: number;
  readonly stream: StreamKey;
  readonly packets: number;
  readonly octets: number;
  readonly timestampOffset: number;
  readonly lastSourceIndex: number | null;
  readonly enabled: boolean;
}

export interface IngressStatus {
  readonly stream: StreamKey;
  readonly ssrc: number | null;
  readonly rtxSsrc: number | null;
  readonly packets: number;
  readonly highestIndex: number | null;
  /** Interarrival jitter, RTP clock units (RFC 3550 A.8). */
  readonly jitter: number;
  readonly lost: number;
}
