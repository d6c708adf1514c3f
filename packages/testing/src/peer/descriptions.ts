import type {
  CodecFormat,
  DtlsFingerprint,
  HeaderExtensionIds,
  IceCredentials,
  MediaKind,
} from '@godwit/protocol';
import {
  buildAnswer,
  buildOffer,
  parseAnswer,
  parseCandidate,
  parseOffer,
  type ActiveSection,
  type PeerDescription,
} from '@godwit/rtp';
import type { IceRemote } from './ice-client.js';
import type { ServerEnd } from './media-transport.js';

/** Payload types and extension ids as Chromium numbers them. */
const CODECS: Readonly<Record<MediaKind, CodecFormat>> = {
  audio: {
    payloadType: 111,
    name: 'opus',
    clockRate: 48_000,
    channels: 2,
    parameters: 'minptime=10;useinbandfec=1',
  },
  video: { payloadType: 96, name: 'vp8', clockRate: 90_000 },
};
const EXTENSIONS: HeaderExtensionIds = { transportCc: 3, mid: 4 };
/** Chromium asks for no NACK of audio; NACK of video would need RTX, which a peer that repairs nothing does not offer. */
const FEEDBACK: Readonly<Record<MediaKind, readonly string[]>> = {
  audio: ['transport-cc'],
  video: ['transport-cc', 'nack pli'],
};

export const codecOf = (kind: MediaKind): CodecFormat => CODECS[kind];

/** One m-section of the peer's own description. */
export interface LocalSection {
  readonly mid: string;
  readonly kind: MediaKind;
  readonly use:
    | { readonly type: 'send'; readonly streamId: string; readonly ssrc: number }
    | { readonly type: 'receive'; readonly streamId: string }
    | { readonly type: 'inactive' };
}

export interface LocalEnd {
  readonly sessionId: string;
  readonly version: number;
  readonly ice: IceCredentials;
  readonly fingerprint: DtlsFingerprint;
}

/** The offer: all sections in one bundle, the client is controlling and trickles nothing (its checks tell its address). */
export function offerSdp(local: LocalEnd, sections: readonly LocalSection[]): string {
  return buildOffer({ ...describe(local, sections), setup: 'actpass' });
}

/** Answer to a restart offer. The client has been the DTLS client and stays it. */
export function restartAnswerSdp(local: LocalEnd, sections: readonly LocalSection[]): string {
  return buildAnswer({ ...describe(local, sections), setup: 'active' });
}

function describe(
  local: LocalEnd,
  sections: readonly LocalSection[],
): Omit<Parameters<typeof buildOffer>[0], 'setup'> {
  return {
    ...local,
    iceLite: false,
    candidates: [],
    extmapAllowMixed: true,
    sections: sections.map(describeSection),
  };
}

const DIRECTIONS = { send: 'sendonly', receive: 'recvonly', inactive: 'inactive' } as const;

function describeSection({ mid, kind, use }: LocalSection): ActiveSection {
  const codec = CODECS[kind];
  return {
    state: 'active',
    mid,
    kind,
    direction: DIRECTIONS[use.type],
    codecs: [codec],
    rtcpFeedback: { [codec.payloadType]: FEEDBACK[kind] },
    extensions: EXTENSIONS,
    ...(use.type === 'send'
      ? {
          source: {
            ssrc: use.ssrc,
            cname: 'peer',
            msid: { streamId: use.streamId, trackId: `${use.streamId}-${kind}` },
          },
        }
      : {}),
  };
}

/** What the server describes: its end of the transport, and its sections. */
export interface ServerDescription extends ServerEnd {
  readonly sections: PeerDescription['sections'];
}

/** Reads the server's answer. Throws when it cannot be one. */
export function readAnswer(sdp: string): ServerDescription {
  const parsed = parseAnswer(sdp);
  if (!parsed.ok) throw new Error(`the server's answer: ${parsed.reason}`);
  return serverDescription(sdp, parsed.answer);
}

/** Reads a server-offered ICE restart. Throws when it cannot be one. */
export function readRestartOffer(sdp: string): ServerDescription {
  const parsed = parseOffer(sdp);
  if (!parsed.ok) throw new Error(`the server's restart offer: ${parsed.reason}`);
  return serverDescription(sdp, parsed.offer);
}

function serverDescription(sdp: string, { ice, fingerprint, sections }: PeerDescription): ServerDescription {
  const lines = sdp.split('\r\n').filter((line) => line.startsWith('a=candidate:'));
  return { ice, fingerprint, sections, remotes: lines.flatMap(readCandidate) };
}

/** An IPv4 address of a candidate line, or none. */
export function readCandidate(line: string): IceRemote[] {
  const candidate = parseCandidate(line);
  if (candidate === null || candidate.family !== 'IPv4' || candidate.protocol !== 'udp') return [];
  const { address, port, priority } = candidate;
  return [{ address, port, priority }];
}
