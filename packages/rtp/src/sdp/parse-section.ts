import type { HeaderExtensionIds } from '@godwit/protocol';
import type { MediaDescription } from 'sdp-transform';
import {
  EXTENSIONS_PER_SECTION_MAX,
  FEEDBACK_LINES_PER_SECTION_MAX,
  MID_CHARS_MAX,
  PAYLOAD_TYPES_PER_SECTION_MAX,
  RIDS_PER_SECTION_MAX,
  SDP_LINE_CHARS_MAX,
  SDP_TOKEN_CHARS_MAX,
  SSRCS_PER_SECTION_MAX,
} from '../limits.js';
import { headerExtensionByUri } from '../rtp/extension-uris.js';
import type { MediaDirection, MediaStreamId, PeerSection, RtpStreamId, SourceDescriptor } from './model.js';
import { parseCodecs, parseRtcpFeedback } from './parse-codecs.js';
import { readText, readToken, readUInt } from './read.js';

export type SectionResult =
  | { readonly ok: true; readonly section: PeerSection }
  /** Completes a sentence that begins with the section. */
  | { readonly ok: false; readonly reason: string };

const EXTENSION_ID_MAX = 255;
const SSRC_MAX = 0xffffffff;
const PORT_MAX = 0xffff;
/** Each SSRC may have several attributes (cname, msid, label …). */
const SSRC_ATTRIBUTES_MAX = 8;

export function parseSection(media: MediaDescription, sessionDirection: unknown): SectionResult {
  const port = readUInt(media.port, PORT_MAX);
  const protocol = readToken(media.protocol, SDP_TOKEN_CHARS_MAX);
  const formats = readText(media.payloads, SDP_LINE_CHARS_MAX);
  if (port === undefined || protocol === undefined || formats === undefined)
    return fail('has a malformed m-line');
  const kind = readKind(media.type);
  if (kind === null) return fail('is neither audio, video nor application');
  const mid = readToken(media.mid, MID_CHARS_MAX);
  if (mid === undefined) return fail(media.mid === undefined ? 'has no mid' : 'has an unusable mid');
  const excess = findExcess(media);
  if (excess !== null) return fail(excess);
  const codecs = kind === 'application' ? [] : parseCodecs(media);
  const msid = readMsid(media);
  return {
    ok: true,
    section: {
      mid,
      kind,
      rejected: port === 0 && media.bundleOnly === undefined,
      protocol,
      formats: formats.trim(),
      direction: readDirection(media.direction) ?? readDirection(sessionDirection) ?? 'sendrecv',
      codecs,
      rtcpFeedback: parseRtcpFeedback(media, codecs),
      extensions: readExtensions(media),
      ssrcs: readSources(media),
      rids: readRids(media),
      ...(msid === undefined ? {} : { msid }),
      rtcpMux: media.rtcpMux !== undefined,
      rtcpReducedSize: media.rtcpRsize !== undefined,
    },
  };
}

function fail(reason: string): SectionResult {
  return { ok: false, reason };
}

const BOUNDS: readonly {
  readonly max: number;
  readonly what: string;
  readonly count: (media: MediaDescription) => number | undefined;
}[] = [
  { max: PAYLOAD_TYPES_PER_SECTION_MAX, what: 'codecs', count: (media) => media.rtp.length },
  { max: PAYLOAD_TYPES_PER_SECTION_MAX, what: 'format parameters', count: (media) => media.fmtp.length },
  {
    max: FEEDBACK_LINES_PER_SECTION_MAX,
    what: 'kinds of RTCP feedback',
    count: (media) => media.rtcpFb?.length,
  },
  { max: EXTENSIONS_PER_SECTION_MAX, what: 'header extensions', count: (media) => media.ext?.length },
  {
    max: SSRCS_PER_SECTION_MAX,
    what: 'SSRCs',
    count: (media) => new Set(media.ssrcs?.map(({ id }) => id)).size,
  },
  {
    max: SSRCS_PER_SECTION_MAX * SSRC_ATTRIBUTES_MAX,
    what: 'SSRC attributes',
    count: (media) => media.ssrcs?.length,
  },
  { max: SSRCS_PER_SECTION_MAX, what: 'SSRC groups', count: (media) => media.ssrcGroups?.length },
  { max: RIDS_PER_SECTION_MAX, what: 'RIDs', count: (media) => media.rids?.length },
];

function findExcess(media: MediaDescription): string | null {
  const exceeded = BOUNDS.find(({ max, count }) => (count(media) ?? 0) > max);
  return exceeded === undefined ? null : `has more than ${exceeded.max} ${exceeded.what}`;
}

function readKind(type: unknown): PeerSection['kind'] | null {
  return type === 'audio' || type === 'video' || type === 'application' ? type : null;
}

function readDirection(direction: unknown): MediaDirection | undefined {
  switch (direction) {
    case 'sendrecv':
    case 'sendonly':
    case 'recvonly':
    case 'inactive':
      return direction;
    default:
      return undefined;
  }
}

function readMsid(media: MediaDescription): MediaStreamId | undefined {
  const streamId = readToken(media.msid?.[0]?.id, SDP_TOKEN_CHARS_MAX);
  if (streamId === undefined) return undefined;
  const trackId = readToken(media.msid?.[0]?.appdata, SDP_TOKEN_CHARS_MAX);
  return trackId === undefined ? { streamId } : { streamId, trackId };
}

function readExtensions(media: MediaDescription): HeaderExtensionIds {
  const ids: HeaderExtensionIds = {};
  for (const extension of media.ext ?? []) {
    const name = headerExtensionByUri(String(extension.uri));
    const id = readUInt(extension.value, EXTENSION_ID_MAX);
    // Encrypted extensions (RFC 6904) are not supported.
    if (name === null || id === undefined || id === 0 || extension['encrypt-uri'] !== undefined) continue;
    ids[name] ??= id;
  }
  return ids;
}

function readSources(media: MediaDescription): SourceDescriptor[] {
  const rtxByPrimary = readFidGroups(media);
  const rtxSsrcs = new Set(rtxByPrimary.values());
  const cnames = new Map<number, string | undefined>();
  for (const line of media.ssrcs ?? []) {
    const ssrc = readUInt(line.id, SSRC_MAX);
    if (ssrc === undefined || rtxSsrcs.has(ssrc)) continue;
    const cname = line.attribute === 'cname' ? readToken(line.value, SDP_TOKEN_CHARS_MAX) : undefined;
    cnames.set(ssrc, cnames.get(ssrc) ?? cname);
  }
  return [...cnames].map(([ssrc, cname]) => {
    const rtxSsrc = rtxByPrimary.get(ssrc);
    return { ssrc, ...(rtxSsrc === undefined ? {} : { rtxSsrc }), ...(cname === undefined ? {} : { cname }) };
  });
}

/** a=ssrc-group:FID <media> <RTX> (RFC 5576 4.2, RFC 4588 8.3). */
function readFidGroups(media: MediaDescription): Map<number, number> {
  const groups = new Map<number, number>();
  for (const group of media.ssrcGroups ?? []) {
    if (group.semantics !== 'FID') continue;
    const [primary, rtx] = String(group.ssrcs)
      .split(' ', 2)
      .map((word) => readUInt(word, SSRC_MAX));
    if (primary !== undefined && rtx !== undefined && primary !== rtx && !groups.has(primary))
      groups.set(primary, rtx);
  }
  return groups;
}

function readRids(media: MediaDescription): RtpStreamId[] {
  const paused = new Set<string>();
  for (const list of [media.simulcast?.list1, media.simulcast?.list2]) {
    for (const id of String(list ?? '').split(/[;,]/)) if (id.startsWith('~')) paused.add(id.slice(1));
  }
  return (media.rids ?? []).flatMap((rid) => {
    const id = readToken(rid.id, MID_CHARS_MAX);
    if (id === undefined || (rid.direction !== 'send' && rid.direction !== 'recv')) return [];
    return { id, direction: rid.direction, paused: paused.has(id) };
  });
}
