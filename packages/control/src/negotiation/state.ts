import type { CodecFormat, HeaderExtensionIds, MediaKind } from '@godwit/protocol';
import type { RtcpFeedback } from '@godwit/rtp';

/** What an m-line carries, seen from the server. */
export type SectionUse =
  | { readonly type: 'publish'; readonly streamId: string; readonly ssrc?: number; readonly rtxSsrc?: number }
  | {
      readonly type: 'subscribe';
      readonly streamId: string;
      readonly ssrc: number;
      readonly rtxSsrc?: number;
    }
  | { readonly type: 'inactive' }
  /** Port 0: may be recycled by the client. */
  | { readonly type: 'rejected' };

/** One m-line as agreed; its codecs are the client's payload types. */
export interface NegotiatedSection {
  readonly mid: string;
  readonly kind: MediaKind | 'application';
  readonly use: SectionUse;
  readonly codecs: readonly CodecFormat[];
  readonly rtcpFeedback: RtcpFeedback;
  readonly extensions: HeaderExtensionIds;
  /** Third and fourth field of the m-line: a rejected one repeats them. */
  readonly protocol: string;
  readonly formats: string;
}

/** The SDP state of one transport. It belongs to control and is kept as JSON. */
export interface NegotiatedState {
  /** Decimal digits of the o= line, constant for the transport. */
  readonly sdpSessionId: string;
  /** Version in the o= line; grows with every description that the server sends. */
  readonly version: number;
  readonly extmapAllowMixed: boolean;
  readonly sections: readonly NegotiatedSection[];
  /** Every SSRC ever given to an egress of this transport: none is used for a second stream (nonces). */
  readonly ssrcsUsed: readonly number[];
}

/** Before the first offer. */
export function emptyNegotiation(sdpSessionId: string): NegotiatedState {
  return { sdpSessionId, version: 0, extmapAllowMixed: false, sections: [], ssrcsUsed: [] };
}

/** Encodings of a stream: its audio, and its video at one quality. */
export const ENCODING_IDS: Readonly<Record<MediaKind, number>> = { audio: 0, video: 1 };

/** The published section of a stream's kind, or null. */
export function publishedSection(
  state: NegotiatedState,
  streamId: string,
  kind: MediaKind,
): NegotiatedSection | null {
  const found = state.sections.find(
    (section) => section.kind === kind && section.use.type === 'publish' && section.use.streamId === streamId,
  );
  return found ?? null;
}

/** Streams that a transport sends or receives. */
export function streamIdsOf(state: NegotiatedState, type: 'publish' | 'subscribe'): Set<string> {
  return new Set(state.sections.flatMap(({ use }) => (use.type === type ? [use.streamId] : [])));
}
