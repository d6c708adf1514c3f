import { dtlsSetup, iceCredentials, MEDIA_SECTIONS_MAX, SDP_CHARS_MAX } from '@godwit/protocol';
import type { DtlsFingerprint, DtlsSetup, IceCredentials } from '@godwit/protocol';
import { parse } from 'sdp-transform';
import type {
  MediaDescription,
  SessionDescription as TransformedSession,
  SharedAttributes,
} from 'sdp-transform';
import { SDP_LINE_CHARS_MAX, SDP_LINES_MAX, SDP_TOKEN_CHARS_MAX } from '../limits.js';
import type { AnswerDescription, OfferDescription, PeerDescription, PeerSection } from './model.js';
import { parseSection } from './parse-section.js';
import { readToken, readUInt } from './read.js';

export type ParseOfferResult =
  | { readonly ok: true; readonly offer: OfferDescription }
  /** English, for whoever wrote the offer. */
  | { readonly ok: false; readonly reason: string };
export type ParseAnswerResult =
  { readonly ok: true; readonly answer: AnswerDescription } | { readonly ok: false; readonly reason: string };

/** Parses a peer's offer. Never throws. Reasons count media sections from 1. */
export function parseOffer(sdp: string): ParseOfferResult {
  const result = parseDescription(sdp);
  return result.ok ? { ok: true, offer: result.description } : result;
}

/** Parses a peer's answer to our offer. Never throws. An answer must have chosen its DTLS role (RFC 5763 5). */
export function parseAnswer(sdp: string): ParseAnswerResult {
  const result = parseDescription(sdp);
  if (!result.ok) return result;
  if (result.description.setup === 'actpass') return fail('an answer must not say setup:actpass');
  return { ok: true, answer: result.description };
}

type Result =
  | { readonly ok: true; readonly description: PeerDescription }
  | { readonly ok: false; readonly reason: string };

function fail(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

function parseDescription(sdp: string): Result {
  const oversize = findOversize(sdp);
  if (oversize !== null) return fail(oversize);
  const session = transform(sdp);
  if (session === null) return fail('the SDP is malformed');
  if (session.media.length === 0) return fail('the SDP has no media section');
  if (session.media.length > MEDIA_SECTIONS_MAX) {
    return fail(`the SDP has more than ${MEDIA_SECTIONS_MAX} media sections`);
  }
  const sections: PeerSection[] = [];
  for (const [index, media] of session.media.entries()) {
    const result = parseSection(media, session.direction);
    if (!result.ok) return fail(`media section ${index + 1} ${result.reason}`);
    sections.push(result.section);
  }
  const bundleMids = readBundle(session);
  const mistake = findMistake(sections, bundleMids);
  return mistake === null ? assemble(session, sections, bundleMids) : fail(mistake);
}

function findOversize(sdp: string): string | null {
  if (sdp.length > SDP_CHARS_MAX) return `the SDP is longer than ${SDP_CHARS_MAX} characters`;
  const lines = sdp.split(/\r\n|\r|\n/, SDP_LINES_MAX + 1);
  if (lines.length > SDP_LINES_MAX) return `the SDP has more than ${SDP_LINES_MAX} lines`;
  const longLine = lines.findIndex((line) => line.length > SDP_LINE_CHARS_MAX);
  return longLine === -1 ? null : `line ${longLine + 1} is longer than ${SDP_LINE_CHARS_MAX} characters`;
}

function transform(sdp: string): TransformedSession | null {
  try {
    return parse(sdp);
  } catch {
    return null;
  }
}

function readBundle(session: TransformedSession): string[] {
  const group = session.groups?.find((candidate) => candidate.type === 'BUNDLE');
  return String(group?.mids ?? '')
    .split(' ')
    .filter((mid) => mid !== '');
}

/** What holds across sections. */
function findMistake(sections: readonly PeerSection[], bundleMids: readonly string[]): string | null {
  const mids = new Set<string>();
  const bundled = new Set(bundleMids);
  for (const [index, section] of sections.entries()) {
    const name = `media section ${index + 1}`;
    if (mids.has(section.mid)) return `${name} repeats the mid of another`;
    mids.add(section.mid);
    if (section.rejected) continue;
    if (!bundled.has(section.mid)) return `${name} is not in the BUNDLE group`;
    if (section.kind !== 'application' && !section.rtcpMux) return `${name} does not use rtcp-mux`;
    if (section.kind !== 'application' && section.codecs.length === 0) return `${name} has no usable codec`;
  }
  if (sections.every((section) => section.rejected)) return 'every media section is rejected';
  return null;
}

function assemble(
  session: TransformedSession,
  sections: readonly PeerSection[],
  bundleMids: readonly string[],
): Result {
  const inUse = session.media.filter((_, index) => sections[index]?.rejected === false);
  const ice = readIce(session, inUse);
  if (ice === null) return fail('ICE credentials (ice-ufrag, ice-pwd) are missing or malformed');
  const fingerprint = readFingerprint(session, inUse);
  if (fingerprint === null) return fail('the DTLS fingerprint is missing or malformed');
  const setup = readSetup(session, inUse);
  if (setup === null) return fail('a=setup is missing or not one of actpass, active, passive');
  return {
    ok: true,
    description: {
      sessionId: readToken(session.origin?.sessionId, SDP_TOKEN_CHARS_MAX) ?? '0',
      sessionVersion: readUInt(session.origin?.sessionVersion, Number.MAX_SAFE_INTEGER) ?? 0,
      ice,
      iceLite: session.icelite !== undefined,
      fingerprint,
      setup,
      bundleMids,
      extmapAllowMixed: [session, ...inUse].some((level) => level.extmapAllowMixed !== undefined),
      sections,
    },
  };
}

/** The first section in use that says it speaks for the bundle, else the session level. */
function readIce(session: SharedAttributes, inUse: readonly MediaDescription[]): IceCredentials | null {
  const level = [...inUse, session].find((candidate) => candidate.iceUfrag !== undefined);
  const ufrag = String(level?.iceUfrag ?? '');
  const pwd = String(level?.icePwd ?? '');
  // ice-char (RFC 8839 5.4).
  if (!/^[A-Za-z0-9+/]+$/.test(ufrag) || !/^[A-Za-z0-9+/]+$/.test(pwd)) return null;
  const result = iceCredentials.safeParse({ ufrag, pwd });
  return result.success ? result.data : null;
}

function readFingerprint(
  session: SharedAttributes,
  inUse: readonly MediaDescription[],
): DtlsFingerprint | null {
  const found = [...inUse, session].find((level) => level.fingerprint !== undefined)?.fingerprint;
  const algorithm = String(found?.type ?? '').toLowerCase();
  const value = String(found?.hash ?? '').toUpperCase();
  if (!/^[a-z0-9-]{1,16}$/.test(algorithm)) return null;
  return /^[0-9A-F]{2}(?::[0-9A-F]{2}){15,63}$/.test(value) ? { algorithm, value } : null;
}

function readSetup(session: SharedAttributes, inUse: readonly MediaDescription[]): DtlsSetup | null {
  const found = [...inUse, session].find((level) => level.setup !== undefined)?.setup;
  const result = dtlsSetup.safeParse(found);
  return result.success ? result.data : null;
}
