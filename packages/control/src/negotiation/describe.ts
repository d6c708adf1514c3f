import type { DtlsFingerprint, IceCredentials, PoolAddress } from '@godwit/protocol';
import {
  buildAnswer,
  buildOffer,
  formatCandidate,
  type ActiveSection,
  type HostCandidate,
  type MediaDirection,
  type RejectedSection,
  type SessionDescription,
} from '@godwit/rtp';
import type { NegotiatedSection, NegotiatedState } from './state.js';

/** Our end of the transport, as an SDP names it. */
export interface LocalEnd {
  readonly ice: IceCredentials;
  readonly fingerprint: DtlsFingerprint;
  readonly candidates: readonly (PoolAddress & { readonly priority: number })[];
}

/** SDP of the answer to the client's offer. The node is the DTLS server. */
export function answerSdp(state: NegotiatedState, local: LocalEnd): string {
  return buildAnswer({ ...describe(state, local), setup: 'passive' });
}

/** SDP of a server-offered ICE restart: what was agreed, with other credentials and addresses. */
export function restartOfferSdp(state: NegotiatedState, local: LocalEnd): string {
  return buildOffer({ ...describe(state, local), setup: 'actpass' });
}

/** Addresses as a client's addIceCandidate takes them. */
export function candidateInits(
  state: NegotiatedState,
  local: Pick<LocalEnd, 'ice' | 'candidates'>,
): { candidate: string; sdpMid: string; usernameFragment: string }[] {
  const sdpMid = state.sections.find((section) => section.use.type !== 'rejected')?.mid ?? '0';
  const usernameFragment = local.ice.ufrag;
  return local.candidates.map(hostCandidate).map((candidate) => ({
    candidate: `${formatCandidate(candidate)} ufrag ${usernameFragment}`,
    sdpMid,
    usernameFragment,
  }));
}

function describe(state: NegotiatedState, local: LocalEnd): Omit<SessionDescription, 'setup'> {
  return {
    sessionId: state.sdpSessionId,
    version: state.version,
    ice: local.ice,
    iceLite: true,
    fingerprint: local.fingerprint,
    candidates: local.candidates.map(hostCandidate),
    extmapAllowMixed: state.extmapAllowMixed,
    sections: state.sections.map(describeSection),
  };
}

function hostCandidate(candidate: PoolAddress & { readonly priority: number }): HostCandidate {
  const { address, port, family, priority } = candidate;
  // One foundation per base address (RFC 8445 5.1.1.3): as each address here is a base of its own, its port will do.
  return { foundation: `${family === 'IPv6' ? '6' : '4'}${port}`, priority, address, port, family };
}

function describeSection(section: NegotiatedSection): ActiveSection | RejectedSection {
  const { mid, kind, use, protocol, formats } = section;
  if (use.type === 'rejected' || kind === 'application')
    return { state: 'rejected', mid, kind, protocol, formats };
  return {
    state: 'active',
    mid,
    kind,
    direction: DIRECTIONS[use.type],
    codecs: section.codecs,
    rtcpFeedback: section.rtcpFeedback,
    extensions: section.extensions,
    ...(use.type === 'subscribe'
      ? {
          source: {
            ssrc: use.ssrc,
            ...(use.rtxSsrc === undefined ? {} : { rtxSsrc: use.rtxSsrc }),
            // One CNAME a stream: its audio and video are played in step.
            cname: use.streamId,
            // Browsers refuse two tracks of one name, and a stream may be subscribed to more than once.
            msid: { streamId: use.streamId, trackId: `${use.streamId}-${mid}` },
          },
        }
      : {}),
  };
}

const DIRECTIONS: Readonly<Record<'publish' | 'subscribe' | 'inactive', MediaDirection>> = {
  publish: 'recvonly',
  subscribe: 'sendonly',
  inactive: 'inactive',
};
