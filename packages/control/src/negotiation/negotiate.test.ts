import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CodecFormat, MediaKind, StreamMids } from '@godwit/protocol';
import { parseAnswer, parseOffer, type OfferDescription } from '@godwit/rtp';
import { offerSdp } from '../testing/fake-client.js';
import { answerSdp, candidateInits, restartOfferSdp, type LocalEnd } from './describe.js';
import { egressRules, ingressRules } from './media.js';
import { negotiate, type NegotiationPorts } from './negotiate.js';
import { emptyNegotiation, type NegotiatedState } from './state.js';

const chromium = readFileSync(
  new URL('../../../rtp/src/sdp/fixtures/chromium-156-offer.sdp', import.meta.url),
  'utf8',
);
const OWN = 'aaaaaaaaaaaaaaaa';
const OTHER = 'bbbbbbbbbbbbbbbb';
const OPUS: CodecFormat = { payloadType: 96, name: 'opus', clockRate: 48_000, channels: 2 };
const VP8: CodecFormat = { payloadType: 120, name: 'vp8', clockRate: 90_000, rtxPayloadType: 121 };

const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':');

const local: LocalEnd = {
  ice: { ufrag: 'node', pwd: 'n'.repeat(24) },
  fingerprint: { algorithm: 'sha-256', value: FINGERPRINT },
  candidates: [{ address: '192.0.2.1', port: 4_000, family: 'IPv4', priority: 2_113_929_471 }],
};

function read(sdp: string): OfferDescription {
  const parsed = parseOffer(sdp);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.offer;
}

function ports(video: readonly CodecFormat[] = [VP8]): NegotiationPorts & { given: number[] } {
  const given: number[] = [];
  return {
    given,
    mayPublish: (streamId) => streamId === OWN,
    published: (streamId, kind: MediaKind) => (streamId !== OTHER ? null : kind === 'audio' ? [OPUS] : video),
    newSsrc: () => {
      given.push(5_000 + given.length);
      return 4_999 + given.length;
    },
  };
}

function agree(
  sdp: string,
  streams: { publications?: StreamMids[]; subscriptions?: StreamMids[] },
  current: NegotiatedState = emptyNegotiation('42'),
  using = ports(),
): { state: NegotiatedState; refused: readonly { mid: string; entry: string }[] } {
  const result = negotiate(read(sdp), { publications: [], subscriptions: [], ...streams }, current, using);
  if (!result.ok) throw new Error(result.reason);
  return result;
}

const publications = [{ streamId: OWN, audioMid: '0', videoMid: '1' }];
const subscriptions = [{ streamId: OTHER, audioMid: '2', videoMid: '3' }];

describe('an offer of Chromium', () => {
  const { state, refused } = agree(chromium, { publications, subscriptions });

  it('is answered with one video codec for what it publishes, and its RTX, feedback and numbers', () => {
    expect(refused).toEqual([]);
    const [audio, video] = ingressRules(state, () => true);
    expect(audio).toMatchObject({
      streamId: OWN,
      encodingId: 0,
      kind: 'audio',
      mid: '0',
      ssrc: 1_352_996_112,
      nack: false,
    });
    expect(audio?.codecs.map(({ name }) => name)).toEqual(['opus', 'red']);
    expect(video).toMatchObject({
      encodingId: 1,
      kind: 'video',
      mid: '1',
      nack: true,
      keyFrameRequests: true,
      transportCc: true,
    });
    expect(video?.codecs).toMatchObject([{ name: 'vp8', payloadType: 96, rtxPayloadType: 97 }]);
    expect(video?.extensions).toEqual({ mid: 4, absSendTime: 2, transportCc: 3, videoOrientation: 13 });
  });

  it("is sent the other stream under its own numbers, with the publisher's payload types mapped", () => {
    const rules = egressRules(state, {
      section: (_streamId, kind) => ({
        ...state.sections[0]!,
        kind,
        codecs: kind === 'audio' ? [OPUS] : [VP8],
        extensions: { videoOrientation: 7 },
      }),
      wanted: () => ({ audio: true, video: false }),
    });
    expect(rules).toMatchObject([
      { mid: '2', payloadTypes: [{ from: 96, to: 111 }], enabled: true, transportCcId: 3, absSendTimeId: 2 },
      {
        mid: '3',
        payloadTypes: [{ from: 120, to: 96, rtx: 97 }],
        enabled: false,
        extensions: [{ from: 7, to: 13 }],
      },
    ]);
    expect(new Set(rules.flatMap(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc ?? 0])).size).toBe(4);
  });

  it('yields an answer that a peer can read', () => {
    const parsed = parseAnswer(answerSdp(state, local));
    if (!parsed.ok) throw new Error(parsed.reason);
    const { answer } = parsed;
    expect(answer).toMatchObject({
      sessionId: '42',
      sessionVersion: 1,
      iceLite: true,
      setup: 'passive',
      extmapAllowMixed: true,
    });
    const directions = answer.sections.map(({ direction, rejected }) => (rejected ? 'rejected' : direction));
    expect(directions).toEqual(['recvonly', 'recvonly', 'sendonly', 'sendonly', 'inactive', 'rejected']);
    expect(answer.sections[3]?.msid?.streamId).toBe(OTHER);
    expect(answer.sections[3]?.ssrcs[0]).toMatchObject({
      rtxSsrc: expect.any(Number) as unknown,
      cname: OTHER,
    });
    expect(answer.sections[1]?.rtcpFeedback[96]).not.toContain('goog-remb');
  });

  it('is followed by a restart offer that changes credentials and addresses only', () => {
    const restarted = { ...local, ice: { ufrag: 'newu', pwd: 'p'.repeat(24) } };
    const parsed = parseOffer(restartOfferSdp({ ...state, version: 2 }, restarted));
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(parsed.offer).toMatchObject({
      setup: 'actpass',
      sessionVersion: 2,
      ice: { ufrag: 'newu' },
      fingerprint: { value: FINGERPRINT },
    });
    expect(parsed.offer.sections.map(({ mid }) => mid)).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('names candidates for the first section in use, under the current credentials', () => {
    const [init] = candidateInits(state, local);
    expect(init).toMatchObject({ sdpMid: '0', usernameFragment: 'node' });
    expect(init?.candidate).toContain('2113929471 192.0.2.1 4000 typ host');
  });
});

describe('SSRCs of what is sent', () => {
  const subscribe = (streamId: string, mid = 'v'): StreamMids[] => [{ streamId, videoMid: mid }];
  const sdp = offerSdp([{ mid: 'v', kind: 'video', direction: 'recvonly' }]);
  const ssrcOf = (state: NegotiatedState): number => {
    const use = state.sections[0]?.use;
    return use?.type === 'subscribe' ? use.ssrc : 0;
  };

  it('stay while a section carries the same stream, and are never given again after that', () => {
    const using = ports();
    const first = agree(sdp, { subscriptions: subscribe(OTHER) }, undefined, using).state;
    const same = agree(sdp, { subscriptions: subscribe(OTHER) }, first, using).state;
    expect(ssrcOf(same)).toBe(ssrcOf(first));
    const without = agree(sdp, {}, same, using).state;
    const again = agree(sdp, { subscriptions: subscribe(OTHER) }, without, using).state;
    expect(ssrcOf(again)).not.toBe(ssrcOf(first));
    expect(again.ssrcsUsed).toHaveLength(4);
  });

  it('are drawn anew when the draw gives one that was used', () => {
    const using = {
      ...ports(),
      newSsrc: (() => {
        let n = 0;
        return () => [7, 7, 8, 9, 9][n++] ?? 10 + n;
      })(),
    };
    const first = agree(sdp, { subscriptions: subscribe(OTHER) }, undefined, using).state;
    const other = agree(
      sdp,
      { subscriptions: subscribe(OTHER) },
      agree(sdp, {}, first, using).state,
      using,
    ).state;
    expect(new Set(other.ssrcsUsed).size).toBe(4);
  });
});

describe('what cannot be served', () => {
  it('is refused by section while the rest goes on', () => {
    const sdp = offerSdp([
      { mid: '0', kind: 'audio', direction: 'recvonly' },
      { mid: '1', kind: 'video', direction: 'recvonly', codecs: ['AV1'] },
      { mid: '2', kind: 'video', direction: 'sendonly', codecs: ['FOO'] },
      { mid: '3', kind: 'audio', direction: 'recvonly' },
    ]);
    const { state, refused } = agree(sdp, {
      publications: [{ streamId: OWN, audioMid: '3', videoMid: '2' }],
      subscriptions: [{ streamId: OTHER, audioMid: '0', videoMid: '1' }],
    });
    expect(refused.map(({ mid, entry }) => [mid, entry])).toEqual([
      ['1', 'codecsDoNotMatch'],
      ['2', 'codecsDoNotMatch'],
      ['3', 'invalidParameter'],
    ]);
    expect(state.sections.map(({ use }) => use.type)).toEqual([
      'subscribe',
      'inactive',
      'inactive',
      'inactive',
    ]);
    expect(() => answerSdp(state, local)).not.toThrow();
  });

  it.each([
    [
      'one section named for two streams',
      {
        publications: [{ streamId: OWN, audioMid: '0' }],
        subscriptions: [{ streamId: OTHER, audioMid: '0' }],
      },
      'two streams',
    ],
    [
      'one stream published twice',
      {
        publications: [
          { streamId: OWN, audioMid: '0' },
          { streamId: OWN, audioMid: '0' },
        ],
      },
      'two publications',
    ],
    [
      'a section that is not there',
      { publications: [{ streamId: OWN, audioMid: 'x' }] },
      'no media section x',
    ],
  ])('an offer with %s is refused as a whole', (_name, streams, reason) => {
    const result = negotiate(
      read(offerSdp([{ mid: '0', kind: 'audio', direction: 'sendonly' }])),
      { subscriptions: [], ...streams },
      emptyNegotiation('1'),
      ports(),
    );
    expect(result).toEqual({ ok: false, reason: expect.stringContaining(reason) as unknown });
  });

  it('an offer that drops or renames sections is refused; a rejected one may be recycled', () => {
    const two = offerSdp([
      { mid: '0', kind: 'audio', direction: 'sendonly' },
      { mid: '1', kind: 'video', direction: 'inactive' },
    ]);
    const { state } = agree(two, {});
    const one = offerSdp([{ mid: '0', kind: 'audio', direction: 'sendonly' }]);
    const none = { publications: [], subscriptions: [] };
    expect(negotiate(read(one), none, state, ports())).toMatchObject({ ok: false });
    const renamed = offerSdp([
      { mid: '0', kind: 'audio', direction: 'sendonly' },
      { mid: '9', kind: 'video', direction: 'inactive' },
    ]);
    expect(negotiate(read(renamed), none, state, ports())).toMatchObject({ ok: false });
    const [, video] = state.sections;
    const recycled = {
      ...state,
      sections: [state.sections[0]!, { ...video!, use: { type: 'rejected' as const } }],
    };
    expect(negotiate(read(renamed), none, recycled, ports())).toMatchObject({ ok: true });
  });
});

describe('RED', () => {
  it('is forwarded only where the payload types inside it mean the same', () => {
    const red = (parameters: string): CodecFormat => ({
      payloadType: 63,
      name: 'red',
      clockRate: 48_000,
      channels: 2,
      parameters,
    });
    const using = (parameters: string): NegotiationPorts => ({
      ...ports(),
      published: () => [{ ...OPUS, payloadType: 111 }, red(parameters)],
    });
    const mids = { subscriptions: [{ streamId: OTHER, audioMid: '2' }] };
    const egress = (parameters: string): number[] => {
      const result = negotiate(
        read(chromium),
        { publications: [], ...mids },
        emptyNegotiation('1'),
        using(parameters),
      );
      if (!result.ok) throw new Error(result.reason);
      const source = using(parameters).published(OTHER, 'audio') ?? [];
      const rules = egressRules(result.state, {
        section: () => ({ ...result.state.sections[2]!, codecs: source }),
        wanted: () => ({ audio: true, video: true }),
      });
      return rules[0]?.payloadTypes.map(({ from }) => from) ?? [];
    };
    expect(egress('111/111')).toEqual([111, 63]);
    expect(egress('96/96')).toEqual([111]);
  });
});
