import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  absSendTimeDistanceMicros,
  absSendTimeMicros,
  decodeAudioLevel,
  decodeVideoOrientation,
  encodeAudioLevel,
  encodeVideoOrientation,
  extendSequence,
  HEADER_EXTENSION_URIS,
  headerExtensionByUri,
  indexRollover,
  indexSequence,
  isSequenceNewer,
  sequenceDistance,
  SRTP_INDEX_MAX,
  timestampDistance,
  toAbsSendTime,
} from './index.js';

describe('serial numbers', () => {
  it('measure across the wrap', () => {
    expect(sequenceDistance(65535, 0)).toBe(1);
    expect(sequenceDistance(0, 65535)).toBe(-1);
    expect(isSequenceNewer(5, 65530)).toBe(true);
    expect(isSequenceNewer(65530, 5)).toBe(false);
    expect(isSequenceNewer(5, 5)).toBe(false);
    expect(timestampDistance(0xfffffff0, 0x10)).toBe(0x20);
    expect(timestampDistance(0x10, 0xfffffff0)).toBe(-0x20);
  });

  it('extend to the index nearest to the highest one', () => {
    expect(extendSequence(-1, 40_000)).toBe(40_000);
    expect(extendSequence(65_535, 0)).toBe(65_536);
    expect(extendSequence(65_536, 65_535)).toBe(65_535);
    expect(extendSequence(10, 65_535)).toBe(-1);
    fc.assert(
      fc.property(
        fc.integer({ min: 40_000, max: SRTP_INDEX_MAX - 40_000 }),
        fc.integer({ min: -32_767, max: 32_767 }),
        (highest, step) => {
          const index = highest + step;
          expect(extendSequence(highest, indexSequence(index))).toBe(index);
          expect(indexRollover(index) * 65_536 + indexSequence(index)).toBe(index);
        },
      ),
    );
  });
});

describe('extension values', () => {
  it('convert abs-send-time within one step of 3.8 us and across its wrap', () => {
    expect(toAbsSendTime(1_000_000)).toBe(0x40000);
    expect(toAbsSendTime(64_000_000)).toBe(0);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (micros) => {
        const value = toAbsSendTime(micros);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(2 ** 24);
        expect(Math.abs(absSendTimeMicros(value) - (micros % 64_000_000))).toBeLessThan(4);
      }),
    );
    expect(absSendTimeDistanceMicros(toAbsSendTime(63_500_000), toAbsSendTime(64_500_000))).toBe(1_000_000);
    expect(absSendTimeDistanceMicros(toAbsSendTime(64_500_000), toAbsSendTime(63_500_000))).toBe(-1_000_000);
  });

  it('carry audio level and video orientation both ways', () => {
    expect(decodeAudioLevel(0x80 | 33)).toEqual({ attenuationDb: 33, voice: true });
    expect(decodeVideoOrientation(0x0b)).toEqual({ backCamera: true, flip: false, rotation: 270 });
    for (let byte = 0; byte < 256; byte += 1) expect(encodeAudioLevel(decodeAudioLevel(byte))).toBe(byte);
    for (let byte = 0; byte < 16; byte += 1)
      expect(encodeVideoOrientation(decodeVideoOrientation(byte))).toBe(byte);
  });

  it('know each URI by our name and back', () => {
    for (const [name, uri] of Object.entries(HEADER_EXTENSION_URIS))
      expect(headerExtensionByUri(uri)).toBe(name);
    expect(headerExtensionByUri('urn:example:unknown')).toBeNull();
    expect(headerExtensionByUri('constructor')).toBeNull();
  });
});
