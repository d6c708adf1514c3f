import { write } from 'sdp-transform';
import type { MediaDescription } from 'sdp-transform';
import { HEADER_EXTENSION_URIS } from '../rtp/extension-uris.js';
import { formatCandidate } from './candidate.js';
import type { ActiveSection, RejectedSection, SessionDescription } from './model.js';
import { isToken } from './read.js';

/** RFC 8829 5.3.1: the port of a section whose addresses come by ICE. */
const DISCARD_PORT = 9;
const PROTOCOL = 'UDP/TLS/RTP/SAVPF';
const NO_CONNECTION = { version: 4, ip: '0.0.0.0' };

/** SDP of our answer. Throws RangeError when the description cannot be one: the caller's mistake. */
export function buildAnswer(description: SessionDescription): string {
  if (description.setup === 'actpass') throw new RangeError('an answer chooses its DTLS role');
  return buildDescription(description);
}

/**
 * SDP of an offer of ours: for an ICE restart it is the current answer with setup actpass, new ICE credentials, the
 * same fingerprint and the next version. Throws RangeError like buildAnswer.
 */
export function buildOffer(description: SessionDescription): string {
  if (description.setup !== 'actpass') throw new RangeError('an offer says setup:actpass (RFC 5763 5)');
  return buildDescription(description);
}

function buildDescription(description: SessionDescription): string {
  const { sections } = description;
  const active = sections.filter((section) => section.state === 'active');
  if (!/^\d{1,19}$/.test(description.sessionId)) throw new RangeError('a session id is decimal digits');
  return write({
    version: 0,
    origin: {
      username: '-',
      sessionId: description.sessionId,
      sessionVersion: description.version,
      netType: 'IN',
      ipVer: 4,
      address: '127.0.0.1',
    },
    name: '-',
    timing: { start: 0, stop: 0 },
    ...(description.iceLite ? { icelite: 'ice-lite' as const } : {}),
    ...(description.extmapAllowMixed ? { extmapAllowMixed: 'extmap-allow-mixed' as const } : {}),
    groups:
      active.length === 0 ? [] : [{ type: 'BUNDLE', mids: active.map(({ mid }) => token(mid)).join(' ') }],
    msidSemantic: { semantic: 'WMS', token: '*' },
    media: sections.map((section) =>
      section.state === 'active'
        ? activeMedia(section, description, section === active[0])
        : rejectedMedia(section),
    ),
  });
}

function rejectedMedia(section: RejectedSection): MediaDescription {
  return {
    type: section.kind,
    port: 0,
    protocol: token(section.protocol),
    payloads: line(section.formats),
    connection: NO_CONNECTION,
    mid: token(section.mid),
    direction: 'inactive',
    rtp: [],
    fmtp: [],
  };
}

/** Candidates are written once, in the section that leads the bundle (RFC 9143 7.1.1). */
function activeMedia(
  section: ActiveSection,
  description: SessionDescription,
  leads: boolean,
): MediaDescription {
  return {
    type: section.kind,
    port: DISCARD_PORT,
    protocol: PROTOCOL,
    connection: NO_CONNECTION,
    iceUfrag: token(description.ice.ufrag),
    icePwd: token(description.ice.pwd),
    iceOptions: 'trickle',
    fingerprint: {
      type: token(description.fingerprint.algorithm),
      hash: token(description.fingerprint.value),
    },
    setup: description.setup,
    mid: token(section.mid),
    direction: section.direction,
    rtcpMux: 'rtcp-mux',
    rtcpRsize: 'rtcp-rsize',
    ...codecLines(section),
    ext: Object.entries(HEADER_EXTENSION_URIS).flatMap(([name, uri]) => {
      const value = section.extensions[name as keyof typeof HEADER_EXTENSION_URIS];
      return value === undefined ? [] : { value, uri };
    }),
    ...simulcastLines(section),
    ...sourceLines(section),
    ...(leads ? { candidates: description.candidates.map(candidateLine) } : {}),
  };
}

function codecLines(section: ActiveSection): Pick<MediaDescription, 'payloads' | 'rtp' | 'fmtp' | 'rtcpFb'> {
  const rtp: MediaDescription['rtp'] = [];
  const fmtp: MediaDescription['fmtp'] = [];
  const rtcpFb: NonNullable<MediaDescription['rtcpFb']> = [];
  for (const codec of section.codecs) {
    const { payloadType: payload, clockRate: rate, rtxPayloadType } = codec;
    rtp.push({
      payload,
      codec: token(SDP_CODEC_NAMES[codec.name] ?? codec.name),
      rate,
      ...(codec.channels === undefined || codec.channels === 1 ? {} : { encoding: codec.channels }),
    });
    if (codec.parameters !== undefined) fmtp.push({ payload, config: line(codec.parameters) });
    for (const value of section.rtcpFeedback[payload] ?? []) {
      const [type = '', subtype] = line(value).split(' ', 2);
      rtcpFb.push({ payload, type, ...(subtype === undefined ? {} : { subtype }) });
    }
    if (rtxPayloadType === undefined) continue;
    rtp.push({ payload: rtxPayloadType, codec: 'rtx', rate });
    fmtp.push({ payload: rtxPayloadType, config: `apt=${payload}` });
  }
  return { payloads: rtp.map(({ payload }) => payload).join(' '), rtp, fmtp, rtcpFb };
}

/** Encoding names are case-insensitive (RFC 8866 6.6), but registered so. */
const SDP_CODEC_NAMES: Readonly<Record<string, string>> = {
  vp8: 'VP8',
  vp9: 'VP9',
  h264: 'H264',
  h265: 'H265',
  av1: 'AV1',
};

function simulcastLines(section: ActiveSection): Pick<MediaDescription, 'rids' | 'simulcast'> {
  const rids = section.receiveRids ?? [];
  if (rids.length === 0) return {};
  return {
    rids: rids.map((id) => ({ id: token(id), direction: 'recv' })),
    simulcast: { dir1: 'recv', list1: rids.join(';') },
  };
}

function sourceLines(section: ActiveSection): Pick<MediaDescription, 'msid' | 'ssrcs' | 'ssrcGroups'> {
  const { source } = section;
  if (source === undefined) return {};
  const value = token(source.cname);
  const ssrcs = [{ id: source.ssrc, attribute: 'cname', value }];
  const msid = [{ id: token(source.msid.streamId), appdata: token(source.msid.trackId) }];
  if (source.rtxSsrc === undefined) return { msid, ssrcs };
  ssrcs.push({ id: source.rtxSsrc, attribute: 'cname', value });
  return { msid, ssrcs, ssrcGroups: [{ semantics: 'FID', ssrcs: `${source.ssrc} ${source.rtxSsrc}` }] };
}

function candidateLine(
  candidate: SessionDescription['candidates'][number],
): NonNullable<MediaDescription['candidates']>[number] {
  formatCandidate(candidate); // checks the values
  const { foundation, priority, address, port } = candidate;
  return { foundation, component: 1, transport: 'udp', priority, ip: address, port, type: 'host' };
}

/** Values come from other peers' descriptions too: nothing may begin a line of its own. */
function token(text: string): string {
  if (!isToken(text)) throw new RangeError('an SDP token is visible ASCII without spaces');
  return text;
}
function line(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new RangeError('an SDP value is printable ASCII');
  return text;
}
