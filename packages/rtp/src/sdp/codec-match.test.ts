import type { CodecFormat } from '@godwit/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecsMatch, parseFormatParameters, parseH264Profile } from './index.js';

const codec = (name: string, parameters?: string, more: Partial<CodecFormat> = {}): CodecFormat => ({
  payloadType: 96,
  name,
  clockRate: 90_000,
  ...(parameters === undefined ? {} : { parameters }),
  ...more,
});
const h264 = (profileLevelId: string, more = ';packetization-mode=1;level-asymmetry-allowed=1') =>
  codec('h264', `profile-level-id=${profileLevelId}${more}`);

describe('codecsMatch', () => {
  it('looks at name, clock and channels, not at payload types', () => {
    expect(
      codecsMatch(codec('vp8'), codec('vp8', undefined, { payloadType: 120, rtxPayloadType: 121 })),
    ).toBe(true);
    expect(codecsMatch(codec('vp8'), codec('vp9'))).toBe(false);
    const opus = codec('opus', 'useinbandfec=1', { clockRate: 48_000, channels: 2 });
    expect(codecsMatch(opus, { ...opus, parameters: 'minptime=10' })).toBe(true);
    expect(codecsMatch(opus, { ...opus, channels: 1 })).toBe(false);
    expect(codecsMatch(codec('x', undefined, { channels: 1 }), codec('x'))).toBe(true);
    expect(codecsMatch(codec('x'), codec('x', undefined, { clockRate: 8_000 }))).toBe(false);
  });

  it('compares H.264 by profile, written either way', () => {
    expect(codecsMatch(h264('42e01f'), h264('42C01F'))).toBe(true);
    expect(codecsMatch(h264('42e01f'), h264('4d801f'))).toBe(true);
    expect(codecsMatch(h264('42e01f'), h264('42001f'))).toBe(false);
    expect(codecsMatch(h264('4d001f'), h264('64001f'))).toBe(false);
    expect(codecsMatch(h264('640c1f'), h264('64001f'))).toBe(false);
    expect(codecsMatch(h264('nonsense'), h264('nonsense'))).toBe(false);
  });

  it('compares H.264 packetization modes; absent is mode 0', () => {
    expect(codecsMatch(h264('42e01f'), h264('42e01f', ';level-asymmetry-allowed=1'))).toBe(false);
    expect(codecsMatch(h264('42e01f', ';packetization-mode=0'), h264('42e01f', ''))).toBe(true);
  });

  it('lets H.264 levels differ only when both sides allow asymmetry', () => {
    expect(codecsMatch(h264('42e01f'), h264('42e034'))).toBe(true);
    expect(codecsMatch(h264('42e01f'), h264('42e034', ';packetization-mode=1'))).toBe(false);
    expect(codecsMatch(h264('42e01f'), h264('42e01f', ';packetization-mode=1'))).toBe(true);
  });

  it('compares VP9 and AV1 profiles; absent is profile 0', () => {
    expect(codecsMatch(codec('vp9', 'profile-id=0'), codec('vp9'))).toBe(true);
    expect(codecsMatch(codec('vp9', 'profile-id=0'), codec('vp9', 'profile-id=2'))).toBe(false);
    expect(codecsMatch(codec('av1', 'level-idx=5;profile=0;tier=0'), codec('av1'))).toBe(true);
    expect(codecsMatch(codec('av1', 'profile=1'), codec('av1'))).toBe(false);
  });

  it('is symmetric and never throws, whatever the parameters', () => {
    const codecs = fc
      .tuple(fc.constantFrom('h264', 'vp9', 'av1'), fc.string())
      .map(([name, text]) => codec(name, text));
    fc.assert(
      fc.property(codecs, codecs, (left, right) => {
        expect(codecsMatch(left, right)).toBe(codecsMatch(right, left));
      }),
    );
  });
});

describe('format parameters', () => {
  it('are read in any case, with spaces, the first of a name counting', () => {
    expect([...parseFormatParameters(' A=1; b=x=y;b=2 ;;flag')]).toEqual([
      ['a', '1'],
      ['b', 'x=y'],
      ['flag', ''],
    ]);
    expect(parseFormatParameters(undefined).size).toBe(0);
  });

  it('give the level of H.264, with 1b and the inferred default', () => {
    expect(parseH264Profile(undefined)).toEqual({ profile: 'baseline', level: 10 });
    expect(parseH264Profile('42f00b')).toEqual({ profile: 'constrained-baseline', level: 9 });
    expect(parseH264Profile('42e00b')).toEqual({ profile: 'constrained-baseline', level: 11 });
    expect(parseH264Profile('f4001f')).toEqual({ profile: 'f400', level: 31 });
  });
});
