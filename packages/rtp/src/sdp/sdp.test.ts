import { readFileSync } from 'node:fs';
import { headerExtensionIds, MEDIA_SECTIONS_MAX, SDP_CHARS_MAX, codecFormat } from '@godwit/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FEEDBACK_LINES_PER_SECTION_MAX,
  FEEDBACK_PER_CODEC_MAX,
  EXTENSIONS_PER_SECTION_MAX,
  SDP_LINES_MAX,
  SSRCS_PER_SECTION_MAX,
} from '../limits.js';
import { buildAnswer, buildOffer, parseAnswer, parseOffer } from './index.js';
import type { ActiveSection, OfferDescription, SessionDescription } from './index.js';

/** createOffer of headless Chromium 156: audio, video, two receivers, simulcast, data channel. */
const CHROMIUM_OFFER = readFileSync(new URL('fixtures/chromium-156-offer.sdp', import.meta.url), 'utf8');

const offerOf = (sdp: string): OfferDescription => {
  const result = parseOffer(sdp);
  if (!result.ok) throw new Error(result.reason);
  return result.offer;
};
const reasonOf = (sdp: string): string => {
  const result = parseOffer(sdp);
  return result.ok ? 'no mistake found' : result.reason;
};

describe("Chromium's offer", () => {
  const offer = offerOf(CHROMIUM_OFFER);

  it('gives the transport', () => {
    expect(offer).toMatchObject({
      sessionVersion: 2,
      ice: { ufrag: 'ey/H', pwd: 'eeOzv5FkhzeQddd/MFh2QO0Q' },
      iceLite: false,
      setup: 'actpass',
      bundleMids: ['0', '1', '2', '3', '4', '5'],
      extmapAllowMixed: true,
    });
    expect(offer.fingerprint.algorithm).toBe('sha-256');
    expect(offer.fingerprint.value).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  it('gives the sections', () => {
    expect(
      offer.sections.map(({ mid, kind, direction, rejected }) => [mid, kind, direction, rejected]),
    ).toEqual([
      ['0', 'audio', 'sendonly', false],
      ['1', 'video', 'sendonly', false],
      ['2', 'audio', 'recvonly', false],
      ['3', 'video', 'recvonly', false],
      ['4', 'video', 'sendonly', false],
      ['5', 'application', 'sendrecv', false],
    ]);
    expect(offer.sections[0]).toMatchObject({ rtcpMux: true, rtcpReducedSize: true });
  });

  it('gives codecs with their RTX types, parameters and feedback, as the protocol knows them', () => {
    const [audio, video] = offer.sections;
    expect(audio?.codecs.slice(0, 2)).toEqual([
      {
        payloadType: 111,
        name: 'opus',
        clockRate: 48_000,
        channels: 2,
        parameters: 'minptime=10;useinbandfec=1',
      },
      { payloadType: 63, name: 'red', clockRate: 48_000, channels: 2, parameters: '111/111' },
    ]);
    expect(video?.codecs[0]).toEqual({ payloadType: 96, name: 'vp8', clockRate: 90_000, rtxPayloadType: 97 });
    expect(video?.codecs.some((codec) => codec.name === 'rtx')).toBe(false);
    expect(audio?.rtcpFeedback[111]).toEqual(['transport-cc']);
    expect(video?.rtcpFeedback[96]).toEqual(['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli']);
    for (const section of offer.sections) {
      for (const codec of section.codecs) expect(codecFormat.parse(codec)).toEqual(codec);
      expect(headerExtensionIds.parse(section.extensions)).toEqual(section.extensions);
    }
  });

  it('gives extensions by our names', () => {
    expect(offer.sections[0]?.extensions).toEqual({ audioLevel: 1, absSendTime: 2, transportCc: 3, mid: 4 });
    expect(offer.sections[1]?.extensions).toMatchObject({
      mid: 4,
      rid: 10,
      repairedRid: 11,
      videoOrientation: 13,
    });
  });

  it('gives sources with RTX and simulcast by RID', () => {
    expect(offer.sections[1]?.ssrcs).toEqual([
      { ssrc: 374_148_198, rtxSsrc: 291_632_633, cname: 'CadvOkZ1uTZP1C2p' },
    ]);
    expect(offer.sections[1]?.msid).toEqual({
      streamId: 'e15f4a86-4fa9-47a1-a7df-0fa5f417eb3a',
      trackId: 'aa262b96-1cb2-4b38-99f4-e954f3b65fda',
    });
    expect(offer.sections[4]?.ssrcs).toEqual([]);
    expect(offer.sections[4]?.rids).toEqual(
      ['q', 'h', 'f'].map((id) => ({ id, direction: 'send', paused: false })),
    );
  });
});

const HEAD = `v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
`;
const TRANSPORT = `a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 ${Array<string>(32).fill('AB').join(':')}
a=setup:actpass
`;
const audio = (mid: string, more = '') =>
  `m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:${mid}\na=rtcp-mux\na=rtpmap:111 opus/48000/2\n${more}`;
const bundled = (mids: string, sections: string) => `${HEAD}a=group:BUNDLE ${mids}\n${TRANSPORT}${sections}`;

describe('parseOffer', () => {
  it('takes the transport from the session level too, and numbers as text', () => {
    const offer = offerOf(bundled('7', audio('7')));
    expect(offer.ice).toEqual({ ufrag: 'abcd', pwd: '0123456789012345678901' });
    expect(offer.sections[0]?.mid).toBe('7');
  });

  it('tells a bundle-only section from a rejected one', () => {
    const zero = (section: string) => section.replace('audio 9', 'audio 0');
    const offer = offerOf(
      bundled('a b', audio('a') + zero(audio('b', 'a=bundle-only\n')) + zero(audio('c'))),
    );
    expect(offer.sections.map((section) => section.rejected)).toEqual([false, false, true]);
  });

  it('spreads feedback for any payload type over the codecs', () => {
    const offer = offerOf(
      bundled('a', audio('a', 'a=rtcp-fb:* nack\na=rtcp-fb:111 transport-cc\na=rtcp-fb:9 x\n')),
    );
    expect(offer.sections[0]?.rtcpFeedback).toEqual({ 111: ['nack', 'transport-cc'] });
  });

  it('says which simulcast layers are paused', () => {
    const offer = offerOf(bundled('a', audio('a', 'a=rid:1 send\na=rid:hi send\na=simulcast:send 1;~hi\n')));
    expect(offer.sections[0]?.rids).toEqual([
      { id: '1', direction: 'send', paused: false },
      { id: 'hi', direction: 'send', paused: true },
    ]);
  });

  it.each([
    ['the SDP has no media section', ''],
    ['the SDP has no media section', HEAD],
    ['media section 1 has a malformed m-line', bundled('a', 'm=\n')],
    [
      'media section 1 is neither audio, video nor application',
      bundled('a', audio('a').replace('audio', 'text')),
    ],
    ['media section 2 has no mid', bundled('a', audio('a') + audio('b').replace('a=mid:b\n', ''))],
    ['media section 1 has an unusable mid', bundled('a', audio('x'.repeat(33)))],
    ['media section 2 repeats the mid of another', bundled('a', audio('a') + audio('a'))],
    ['media section 2 is not in the BUNDLE group', bundled('a', audio('a') + audio('b'))],
    ['media section 1 does not use rtcp-mux', bundled('a', audio('a').replace('a=rtcp-mux\n', ''))],
    ['media section 1 has no usable codec', bundled('a', audio('a').replace('opus/48000/2', 'opus'))],
    ['every media section is rejected', bundled('a', audio('a').replace('audio 9', 'audio 0'))],
    [
      'ICE credentials (ice-ufrag, ice-pwd) are missing or malformed',
      bundled('a', audio('a')).replace('abcd', 'ab'),
    ],
    ['the DTLS fingerprint is missing or malformed', bundled('a', audio('a')).replaceAll('AB', 'XY')],
    [
      'a=setup is missing or not one of actpass, active, passive',
      bundled('a', audio('a')).replace('actpass', 'hold'),
    ],
  ])('says: %s', (reason, sdp) => {
    expect(reasonOf(sdp)).toBe(reason);
  });

  it('is bounded in every dimension', () => {
    const repeat = (count: number, make: (index: number) => string) =>
      Array.from({ length: count }, (_, i) => make(i)).join('');
    expect(reasonOf('x'.repeat(SDP_CHARS_MAX + 1))).toContain('longer than');
    expect(reasonOf('\n'.repeat(SDP_LINES_MAX))).toContain('lines');
    expect(reasonOf(`s=${'x'.repeat(10_000)}`)).toContain('line 1');
    const mids = repeat(MEDIA_SECTIONS_MAX + 1, (index) => `${index} `).trim();
    expect(
      reasonOf(
        bundled(
          mids,
          repeat(MEDIA_SECTIONS_MAX + 1, (index) => audio(String(index))),
        ),
      ),
    ).toContain('media sections');
    const extensions = repeat(EXTENSIONS_PER_SECTION_MAX + 1, (index) => `a=extmap:${index + 1} urn:x\n`);
    expect(reasonOf(bundled('a', audio('a', extensions)))).toContain('header extensions');
    const ssrcs = repeat(SSRCS_PER_SECTION_MAX + 1, (index) => `a=ssrc:${index} cname:x\n`);
    expect(reasonOf(bundled('a', audio('a', ssrcs)))).toContain('SSRCs');
    const feedback = (count: number) =>
      audio(
        'a',
        repeat(count, (index) => `a=rtcp-fb:* x${index}\n`),
      );
    expect(reasonOf(bundled('a', feedback(FEEDBACK_LINES_PER_SECTION_MAX + 1)))).toContain('feedback');
    expect(offerOf(bundled('a', feedback(100))).sections[0]?.rtcpFeedback[111]).toHaveLength(
      FEEDBACK_PER_CODEC_MAX,
    );
    const rids = repeat(9, (index) => `a=rid:r${index} send\n`);
    expect(reasonOf(bundled('a', audio('a', rids)))).toContain('RIDs');
  });

  it('never throws on arbitrary text and on mutated offers', () => {
    const lines = CHROMIUM_OFFER.split('\r\n');
    const mutated = fc
      .array(fc.tuple(fc.nat(lines.length - 1), fc.oneof(fc.string(), fc.constantFrom(...lines))), {
        maxLength: 20,
      })
      .map((changes) => {
        const copy = [...lines];
        for (const [at, line] of changes) copy[at] = line;
        return copy.join('\r\n');
      });
    const attribute = fc
      .tuple(
        fc.constantFrom(
          'm=',
          'a=rtpmap:',
          'a=fmtp:',
          'a=ssrc:',
          'a=rid:',
          'a=extmap:',
          'a=group:',
          'a=mid:',
          'a=simulcast:',
          'a=__proto__:',
        ),
        fc.string(),
      )
      .map(([head, tail]) => head + tail);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          mutated,
          fc.array(attribute).map((all) => all.join('\n')),
        ),
        (sdp) => {
          const result = parseOffer(sdp);
          if (!result.ok) expect(result.reason.length).toBeLessThan(200);
          parseAnswer(sdp);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('descriptions of ours', () => {
  const offer = offerOf(CHROMIUM_OFFER);
  const sectionFor = (mid: string): ActiveSection => {
    const offered = offer.sections.find((section) => section.mid === mid)!;
    if (offered.kind === 'application') throw new Error('not media');
    return {
      state: 'active',
      mid,
      kind: offered.kind,
      direction: offered.direction === 'sendonly' ? 'recvonly' : 'sendonly',
      codecs: offered.codecs.slice(0, 2),
      rtcpFeedback: Object.fromEntries(
        offered.codecs
          .slice(0, 2)
          .map(({ payloadType }) => [payloadType, offered.rtcpFeedback[payloadType]!]),
      ),
      extensions: offered.extensions,
    };
  };
  const source = {
    ssrc: 4_000_000_001,
    rtxSsrc: 17,
    cname: 'godwit',
    msid: { streamId: 'stream-1', trackId: 'track-1' },
  };
  const description: SessionDescription = {
    sessionId: '9223372036854775807',
    version: 3,
    ice: { ufrag: 'server1', pwd: '1234567890123456789012' },
    iceLite: true,
    fingerprint: offer.fingerprint,
    setup: 'passive',
    candidates: [
      { foundation: '1', priority: 2_130_706_431, address: '192.0.2.7', port: 40_000, family: 'IPv4' },
      { foundation: '2', priority: 2_130_706_175, address: '2001:db8::7', port: 40_000, family: 'IPv6' },
    ],
    extmapAllowMixed: true,
    sections: [
      sectionFor('0'),
      { ...sectionFor('4'), receiveRids: ['q', 'h', 'f'] },
      { ...sectionFor('3'), source },
      {
        state: 'rejected',
        mid: '5',
        kind: 'application',
        protocol: 'UDP/DTLS/SCTP',
        formats: 'webrtc-datachannel',
      },
    ],
  };

  it('come back from the parser as they were meant', () => {
    const result = parseAnswer(buildAnswer(description));
    if (!result.ok) throw new Error(result.reason);
    expect(result.answer).toMatchObject({
      sessionId: description.sessionId,
      sessionVersion: 3,
      ice: description.ice,
      iceLite: true,
      fingerprint: description.fingerprint,
      setup: 'passive',
      bundleMids: ['0', '4', '3'],
      extmapAllowMixed: true,
    });
    description.sections.forEach((section, index) => {
      const { state, ...expected } = section;
      const read = result.answer.sections[index];
      if (state === 'rejected') expect(read).toMatchObject({ ...expected, rejected: true });
      else {
        const { mid, kind, direction, codecs, rtcpFeedback, extensions } = section as ActiveSection;
        expect(read).toMatchObject({
          mid,
          kind,
          direction,
          codecs,
          rtcpFeedback,
          extensions,
          rejected: false,
        });
        expect(read).toMatchObject({ rtcpMux: true, rtcpReducedSize: true });
      }
    });
    expect(result.answer.sections[1]?.rids.map(({ id, direction }) => [id, direction])).toEqual([
      ['q', 'recv'],
      ['h', 'recv'],
      ['f', 'recv'],
    ]);
    expect(result.answer.sections[2]).toMatchObject({
      msid: source.msid,
      ssrcs: [{ ssrc: source.ssrc, rtxSsrc: source.rtxSsrc, cname: source.cname }],
    });
  });

  it('write candidates once, in the section that leads the bundle', () => {
    const [, first = '', ...rest] = buildAnswer(description).split('m=');
    expect(first).toContain('a=candidate:1 1 udp 2130706431 192.0.2.7 40000 typ host\r\n');
    expect(first).toContain('a=candidate:2 1 udp 2130706175 2001:db8::7 40000 typ host\r\n');
    expect(rest.join('')).not.toContain('a=candidate');
  });

  it('keep RTX in the m-line behind its codec', () => {
    const sdp = buildAnswer(description);
    expect(sdp).toContain('m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103\r\n');
    expect(sdp).toContain('a=fmtp:97 apt=96\r\n');
  });

  it('offer an ICE restart as the same description with new credentials', () => {
    const restart: SessionDescription = {
      ...description,
      version: 4,
      setup: 'actpass',
      ice: { ufrag: 'server2', pwd: 'abcdefghijklmnopqrstuv' },
    };
    const changed = buildOffer(restart).split('\r\n');
    const before = buildAnswer(description).split('\r\n');
    const differing = changed
      .filter((line, index) => line !== before[index])
      .map((line) => line.split(':')[0]);
    expect(new Set(differing)).toEqual(
      new Set(['o=- 9223372036854775807 4 IN IP4 127.0.0.1', 'a=setup', 'a=ice-ufrag', 'a=ice-pwd']),
    );
  });

  it('refuse what would be no answer or offer, and lines smuggled into values', () => {
    expect(() => buildAnswer({ ...description, setup: 'actpass' })).toThrow(RangeError);
    expect(() => buildOffer(description)).toThrow(RangeError);
    const smuggled = { ...source, cname: 'x\r\na=ice-lite' };
    expect(() =>
      buildAnswer({ ...description, sections: [{ ...sectionFor('3'), source: smuggled }] }),
    ).toThrow(RangeError);
  });

  it('are refused as an answer while the DTLS role is open', () => {
    expect(parseAnswer(CHROMIUM_OFFER)).toEqual({
      ok: false,
      reason: 'an answer must not say setup:actpass',
    });
  });
});
