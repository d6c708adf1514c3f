import type {
  CodecFormat,
  DtlsFingerprint,
  DtlsSetup,
  HeaderExtensionIds,
  IceCredentials,
  MediaKind,
} from '@godwit/protocol';
import type { HostCandidate } from './candidate.js';

export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** Feedback by payload type, each as SDP writes it: "nack", "nack pli", "ccm fir", "transport-cc", "goog-remb". */
export type RtcpFeedback = Readonly<Record<number, readonly string[]>>;

/** a=msid: the MediaStream and its track. */
export interface MediaStreamId {
  /** "-" for a track without a MediaStream. */
  readonly streamId: string;
  readonly trackId?: string;
}

/** One media SSRC with what belongs to it. */
export interface SourceDescriptor {
  readonly ssrc: number;
  /** From the FID group that the SSRC leads. */
  readonly rtxSsrc?: number;
  readonly cname?: string;
}

/** a=rid (RFC 8851). */
export interface RtpStreamId {
  readonly id: string;
  readonly direction: 'send' | 'recv';
  /** As a=simulcast says it ("~"). */
  readonly paused: boolean;
}

/** One m-section as a peer described it. */
export interface PeerSection {
  readonly mid: string;
  readonly kind: MediaKind | 'application';
  /** Port 0 without a=bundle-only: refused, stopped, or free to be recycled. */
  readonly rejected: boolean;
  /** Third and fourth field of the m-line, to be repeated where the section is rejected. */
  readonly protocol: string;
  readonly formats: string;
  readonly direction: MediaDirection;
  /** In the order of preference. RTX types are joined to their codec, never listed on their own. */
  readonly codecs: readonly CodecFormat[];
  readonly rtcpFeedback: RtcpFeedback;
  /** Those that the platform knows. */
  readonly extensions: HeaderExtensionIds;
  readonly ssrcs: readonly SourceDescriptor[];
  readonly rids: readonly RtpStreamId[];
  readonly msid?: MediaStreamId;
  readonly rtcpMux: boolean;
  readonly rtcpReducedSize: boolean;
}

/** What a peer's offer or answer says. All sections share one transport: BUNDLE is required. */
export interface PeerDescription {
  readonly sessionId: string;
  readonly sessionVersion: number;
  readonly ice: IceCredentials;
  readonly iceLite: boolean;
  readonly fingerprint: DtlsFingerprint;
  readonly setup: DtlsSetup;
  readonly bundleMids: readonly string[];
  /** Both forms of header extensions may appear in one stream (RFC 8285 6). */
  readonly extmapAllowMixed: boolean;
  readonly sections: readonly PeerSection[];
}
export type OfferDescription = PeerDescription;
export type AnswerDescription = PeerDescription;

/** Our end of one m-section that is in use. */
export interface ActiveSection {
  readonly state: 'active';
  readonly mid: string;
  readonly kind: MediaKind;
  readonly direction: MediaDirection;
  readonly codecs: readonly CodecFormat[];
  readonly rtcpFeedback: RtcpFeedback;
  readonly extensions: HeaderExtensionIds;
  /** What we send here. */
  readonly source?: SourceDescriptor & { readonly cname: string; readonly msid: Required<MediaStreamId> };
  /** Simulcast that we take here, in the peer's order. */
  readonly receiveRids?: readonly string[];
}

/** Our end of an m-section that we refuse, or that is stopped and waits to be recycled. */
export interface RejectedSection {
  readonly state: 'rejected';
  readonly mid: string;
  readonly kind: MediaKind | 'application';
  readonly protocol: string;
  readonly formats: string;
}

/** Our own offer or answer. */
export interface SessionDescription {
  /** Decimal digits, below 2^63, constant for the connection (RFC 9429 5.2.1). */
  readonly sessionId: string;
  /** Grows by one with each description that differs. */
  readonly version: number;
  readonly ice: IceCredentials;
  readonly iceLite: boolean;
  readonly fingerprint: DtlsFingerprint;
  readonly setup: DtlsSetup;
  readonly candidates: readonly HostCandidate[];
  readonly extmapAllowMixed: boolean;
  readonly sections: readonly (ActiveSection | RejectedSection)[];
}
