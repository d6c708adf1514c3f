import type { CodecFormat, EgressRule, HeaderExtensionName, IngressRule, MediaKind } from '@godwit/protocol';
import { codecsMatch } from '@godwit/rtp';
import { ENCODING_IDS, type NegotiatedSection, type NegotiatedState } from './state.js';

/** Extensions that go through from publisher to subscriber; the others are written afresh at the egress. */
const PASSED_EXTENSIONS: readonly HeaderExtensionName[] = [
  'audioLevel',
  'videoOrientation',
  'dependencyDescriptor',
  'playoutDelay',
  'videoContentType',
  'colorSpace',
];

/** Rules for what a node accepts from this transport; only of streams for which `isLive`. */
export function ingressRules(state: NegotiatedState, isLive: (streamId: string) => boolean): IngressRule[] {
  return state.sections.flatMap((section) => {
    if (section.use.type !== 'publish' || section.kind === 'application' || !isLive(section.use.streamId))
      return [];
    const offered = Object.values(section.rtcpFeedback).flat();
    const has = (type: string): boolean => offered.includes(type);
    const { streamId, ssrc, rtxSsrc } = section.use;
    return [
      {
        streamId,
        encodingId: ENCODING_IDS[section.kind],
        kind: section.kind,
        mid: section.mid,
        ...(ssrc === undefined ? {} : { ssrc }),
        ...(rtxSsrc === undefined ? {} : { rtxSsrc }),
        codecs: [...section.codecs],
        extensions: section.extensions,
        nack: has('nack'),
        keyFrameRequests: has('nack pli'),
        transportCc: has('transport-cc'),
      },
    ];
  });
}

/** What a subscriber wants of a stream now. */
export interface Wanted {
  readonly audio: boolean;
  readonly video: boolean;
}

export interface PublishedSections {
  /** The publisher's section of that stream and kind while it is live. */
  section(streamId: string, kind: MediaKind): NegotiatedSection | null;
  wanted(streamId: string): Wanted;
}

/** Rules for what a node sends to this transport. Streams that are not live, or whose codecs do not match, have none. */
export function egressRules(state: NegotiatedState, published: PublishedSections): EgressRule[] {
  return state.sections.flatMap((section) => {
    if (section.use.type !== 'subscribe' || section.kind === 'application') return [];
    const { streamId, ssrc, rtxSsrc } = section.use;
    const source = published.section(streamId, section.kind);
    if (source === null) return [];
    const payloadTypes = matchPayloadTypes(source.codecs, section.codecs);
    const [first] = source.codecs;
    if (payloadTypes.length === 0 || first === undefined) return [];
    const { absSendTime, transportCc } = section.extensions;
    return [
      {
        streamId,
        encodingId: ENCODING_IDS[section.kind],
        kind: section.kind,
        mid: section.mid,
        ssrc,
        ...(rtxSsrc === undefined ? {} : { rtxSsrc }),
        clockRate: first.clockRate,
        payloadTypes,
        extensions: passedExtensions(source, section),
        ...(absSendTime === undefined ? {} : { absSendTimeId: absSendTime }),
        ...(transportCc === undefined ? {} : { transportCcId: transportCc }),
        enabled: published.wanted(streamId)[section.kind],
      },
    ];
  });
}

/** The publisher's payload types to the subscriber's. Empty: the subscriber cannot decode what is published. */
export function matchPayloadTypes(
  source: readonly CodecFormat[],
  sink: readonly CodecFormat[],
): EgressRule['payloadTypes'] {
  return source.flatMap((from) => {
    const to = sink.find((candidate) => codecsMatch(from, candidate) && redundancyFits(from, candidate));
    if (to === undefined) return [];
    return [
      {
        from: from.payloadType,
        to: to.payloadType,
        ...(to.rtxPayloadType === undefined ? {} : { rtx: to.rtxPayloadType }),
      },
    ];
  });
}

/** RED names the payload types inside its payload (RFC 2198), which is not rewritten: they must be the same. */
function redundancyFits(from: CodecFormat, to: CodecFormat): boolean {
  return from.name !== 'red' || from.parameters === to.parameters;
}

function passedExtensions(source: NegotiatedSection, sink: NegotiatedSection): EgressRule['extensions'] {
  return PASSED_EXTENSIONS.flatMap((name) => {
    const from = source.extensions[name];
    const to = sink.extensions[name];
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
}
