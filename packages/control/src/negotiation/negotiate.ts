import { EGRESS_SSRCS_MAX, type CodecFormat, type MediaKind, type StreamMids } from '@godwit/protocol';
import type { OfferDescription, PeerSection } from '@godwit/rtp';
import type { ClientErrorName } from '../errors.js';
import { extensionsOf, feedbackOf, publishFormats, subscribeFormats } from './capabilities.js';
import { matchPayloadTypes } from './media.js';
import type { NegotiatedSection, NegotiatedState } from './state.js';

/** What negotiating needs to know of the session. */
export interface NegotiationPorts {
  /** Codecs of a live stream's kind as its publisher sends them; null when there is no such stream or kind. */
  published(streamId: string, kind: MediaKind): readonly CodecFormat[] | null;
  /** True when the client owns a stream of that id. */
  mayPublish(streamId: string): boolean;
  newSsrc(): number;
}

export interface RefusedSection {
  readonly streamId: string;
  readonly mid: string;
  readonly entry: ClientErrorName;
  readonly message: string;
}

export type NegotiationResult =
  | { readonly ok: true; readonly state: NegotiatedState; readonly refused: readonly RefusedSection[] }
  | { readonly ok: false; readonly reason: string };

interface Wish {
  readonly type: 'publish' | 'subscribe';
  readonly streamId: string;
  readonly kind: MediaKind;
}

/**
 * Answers an offer: which m-line carries which stream, with which codecs and SSRCs. Pure.
 * An m-line that cannot be served becomes inactive and is named in `refused`; the rest goes on.
 */
export function negotiate(
  offer: OfferDescription,
  streams: { readonly publications: readonly StreamMids[]; readonly subscriptions: readonly StreamMids[] },
  current: NegotiatedState,
  ports: NegotiationPorts,
): NegotiationResult {
  const wishes = readWishes(streams);
  if (typeof wishes === 'string') return { ok: false, reason: wishes };
  const mistake = sequenceMistake(offer, current) ?? unknownMid(offer, wishes);
  if (mistake !== null) return { ok: false, reason: mistake };
  const ssrcsUsed = new Set(current.ssrcsUsed);
  const refused: RefusedSection[] = [];
  const sections = offer.sections.map((section, index): NegotiatedSection => {
    const wish = wishes.get(section.mid);
    if (section.rejected || section.kind === 'application') return unused(section, 'rejected');
    if (wish === undefined) return unused(section, 'inactive');
    const served =
      wish.type === 'publish'
        ? publish(section, wish, ports)
        : subscribe(section, wish, { ports, ssrcsUsed, previous: current.sections[index] });
    if ('mid' in served) return served;
    refused.push({ streamId: wish.streamId, mid: section.mid, ...served });
    return unused(section, 'inactive');
  });
  const { extmapAllowMixed } = offer;
  return {
    ok: true,
    state: {
      ...current,
      version: current.version + 1,
      extmapAllowMixed,
      sections,
      ssrcsUsed: [...ssrcsUsed],
    },
    refused,
  };
}

function readWishes(streams: {
  readonly publications: readonly StreamMids[];
  readonly subscriptions: readonly StreamMids[];
}): Map<string, Wish> | string {
  const wishes = new Map<string, Wish>();
  // A stream may be received several times, and is sent once.
  const published = new Set(streams.publications.map(({ streamId }) => streamId));
  if (published.size < streams.publications.length) return 'a stream is named for two publications';
  for (const [type, list] of [
    ['publish', streams.publications],
    ['subscribe', streams.subscriptions],
  ] as const) {
    for (const { streamId, audioMid, videoMid } of list) {
      for (const [kind, mid] of [
        ['audio', audioMid],
        ['video', videoMid],
      ] as const) {
        if (mid === undefined) continue;
        if (wishes.has(mid)) return `media section ${mid} is named for two streams`;
        wishes.set(mid, { type, streamId, kind });
      }
    }
  }
  return wishes;
}

/** m-lines keep their place for the transport's life (RFC 9429 5.2.2); only a rejected one gets a new mid. */
function sequenceMistake(offer: OfferDescription, current: NegotiatedState): string | null {
  if (offer.sections.length < current.sections.length)
    return 'the offer has fewer media sections than the one before';
  for (const [index, before] of current.sections.entries()) {
    const section = offer.sections[index];
    if (section?.mid !== before.mid && before.use.type !== 'rejected') {
      return `media section ${index + 1} was ${before.mid} before and cannot change`;
    }
  }
  return null;
}

function unknownMid(offer: OfferDescription, wishes: ReadonlyMap<string, Wish>): string | null {
  const mids = new Set(offer.sections.map((section) => section.mid));
  const missing = [...wishes.keys()].find((mid) => !mids.has(mid));
  return missing === undefined ? null : `the offer has no media section ${missing}`;
}

type Refusal = Pick<RefusedSection, 'entry' | 'message'>;

function publish(section: PeerSection, wish: Wish, ports: NegotiationPorts): NegotiatedSection | Refusal {
  if (!ports.mayPublish(wish.streamId))
    return { entry: 'streamNotFound', message: 'There is no such stream to publish.' };
  if (section.kind !== wish.kind)
    return { entry: 'invalidParameter', message: `The media section is not ${wish.kind}.` };
  if (section.direction !== 'sendonly' && section.direction !== 'sendrecv') {
    return { entry: 'invalidParameter', message: 'A media section that publishes must be sendonly.' };
  }
  const codecs = publishFormats(section);
  if (codecs.length === 0)
    return { entry: 'codecsDoNotMatch', message: `None of the offered ${wish.kind} codecs is supported.` };
  const [source] = section.ssrcs;
  return {
    ...described(section, codecs, 'publish'),
    use: {
      type: 'publish',
      streamId: wish.streamId,
      ...(source === undefined ? {} : { ssrc: source.ssrc }),
      ...(source?.rtxSsrc === undefined ? {} : { rtxSsrc: source.rtxSsrc }),
    },
  };
}

interface SubscribeState {
  readonly ports: NegotiationPorts;
  readonly ssrcsUsed: Set<number>;
  readonly previous: NegotiatedSection | undefined;
}

function subscribe(section: PeerSection, wish: Wish, state: SubscribeState): NegotiatedSection | Refusal {
  if (section.kind !== wish.kind)
    return { entry: 'invalidParameter', message: `The media section is not ${wish.kind}.` };
  if (section.direction !== 'recvonly' && section.direction !== 'sendrecv') {
    return { entry: 'invalidParameter', message: 'A media section that subscribes must be recvonly.' };
  }
  const source = state.ports.published(wish.streamId, wish.kind);
  if (source === null)
    return { entry: 'streamNotFound', message: `The stream has no ${wish.kind}, or has ended.` };
  const codecs = subscribeFormats(section);
  const matched = matchPayloadTypes(source, codecs);
  if (matched.length === 0) {
    const names = source.map((codec) => codec.name).join(', ');
    return {
      entry: 'codecsDoNotMatch',
      message: `The stream's ${wish.kind} codec (${names}) was not offered.`,
    };
  }
  // What is sent now first, so that a receiver that looks only at the first is right.
  const inUse = new Set(matched.map(({ to }) => to));
  const ordered = codecs.toSorted(
    (a, b) => Number(inUse.has(b.payloadType)) - Number(inUse.has(a.payloadType)),
  );
  const ssrcs = ssrcsFor(section, wish, ordered, state);
  if (ssrcs === null)
    return { entry: 'streamLimit', message: 'This connection has had too many streams; connect anew.' };
  return {
    ...described(section, ordered, 'subscribe'),
    use: { type: 'subscribe', streamId: wish.streamId, ...ssrcs },
  };
}

/** SSRCs stay while a section carries the same stream; anything else gets new ones. */
function ssrcsFor(
  section: PeerSection,
  wish: Wish,
  codecs: readonly CodecFormat[],
  { ports, ssrcsUsed, previous }: SubscribeState,
): { ssrc: number; rtxSsrc?: number } | null {
  const use = previous?.mid === section.mid && previous.kind === section.kind ? previous.use : undefined;
  if (use?.type === 'subscribe' && use.streamId === wish.streamId) {
    return { ssrc: use.ssrc, ...(use.rtxSsrc === undefined ? {} : { rtxSsrc: use.rtxSsrc }) };
  }
  if (ssrcsUsed.size + 2 > EGRESS_SSRCS_MAX) return null;
  const fresh = (): number => {
    let ssrc = ports.newSsrc();
    while (ssrcsUsed.has(ssrc)) ssrc = ports.newSsrc();
    ssrcsUsed.add(ssrc);
    return ssrc;
  };
  const ssrc = fresh();
  return codecs.some((codec) => codec.rtxPayloadType !== undefined) ? { ssrc, rtxSsrc: fresh() } : { ssrc };
}

function described(
  section: PeerSection,
  codecs: readonly CodecFormat[],
  use: 'publish' | 'subscribe',
): Omit<NegotiatedSection, 'use'> {
  return {
    mid: section.mid,
    kind: section.kind,
    codecs,
    rtcpFeedback: feedbackOf(section, codecs),
    extensions: extensionsOf(section, use),
    protocol: section.protocol,
    formats: section.formats,
  };
}

function unused(section: PeerSection, type: 'inactive' | 'rejected'): NegotiatedSection {
  const supported = section.kind === 'application' ? [] : subscribeFormats(section);
  const codecs = supported.length > 0 ? supported : section.codecs.slice(0, 1);
  // An inactive section keeps its extension ids: they are one space in the bundle.
  return { ...described(section, type === 'inactive' ? codecs : [], 'subscribe'), use: { type } };
}
