import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildTransportFeedback,
  compactNtp,
  ntpTimeToUnixMs,
  parseRtcpCompound,
  roundTripMs,
  toCompactDuration,
  toNtpTime,
  writeRtcpCompound,
} from './index.js';
import type { RtcpPacket, TransportFeedback } from './index.js';
import { NACK_SEQUENCES_MAX, RTCP_PACKETS_MAX, TRANSPORT_FEEDBACK_STATUSES_MAX } from '../limits.js';

const uint8 = fc.integer({ min: 0, max: 0xff });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const text = fc.string({ maxLength: 60 });
const sources = { senderSsrc: uint32, mediaSsrc: uint32 };
const reports = fc.array(
  fc.record({
    ssrc: uint32,
    fractionLost: uint8,
    packetsLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
    highestSequence: uint32,
    jitter: uint32,
    lastSenderReport: uint32,
    delaySinceLastSenderReport: uint32,
  }),
  { maxLength: 31 },
);
const kind = <Type extends string>(type: Type) => fc.constant(type);
const arrivalsMicros = fc
  .array(fc.option(fc.integer({ min: -0x3fff, max: 0x3fff })), { minLength: 1, maxLength: 120 })
  .map((ticks) => ticks.map((tick) => (tick === null ? null : tick * 250)));
/** A bitmask has no order of its own: what is read comes ascending. */
const sortedSequences = fc
  .uniqueArray(uint16, { maxLength: 40 })
  .map((sequences) => sequences.toSorted((a, b) => a - b));
const packets: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    type: kind('senderReport'),
    ssrc: uint32,
    ntp: fc.record({ seconds: uint32, fraction: uint32 }),
    rtpTimestamp: uint32,
    packetCount: uint32,
    octetCount: uint32,
    reports,
  }),
  fc.record({ type: kind('receiverReport'), ssrc: uint32, reports }),
  fc.record({
    type: kind('sourceDescription'),
    chunks: fc.array(fc.record({ ssrc: uint32, cname: text }, { requiredKeys: ['ssrc'] }), { maxLength: 31 }),
  }),
  fc.record(
    { type: kind('goodbye'), ssrcs: fc.array(uint32, { maxLength: 31 }), reason: text },
    { requiredKeys: ['type', 'ssrcs'] },
  ),
  fc.record({ type: kind('nack'), ...sources, sequences: sortedSequences }),
  fc.record({ type: kind('pictureLossIndication'), ...sources }),
  fc.record({
    type: kind('fullIntraRequest'),
    senderSsrc: uint32,
    entries: fc.array(fc.record({ ssrc: uint32, sequence: uint8 }), { maxLength: 40 }),
  }),
  fc.record({
    type: kind('receiverEstimatedMaxBitrate'),
    senderSsrc: uint32,
    bitrateBps: fc.tuple(fc.integer({ min: 0, max: 2 ** 18 - 1 }), fc.nat(30)).map(([m, e]) => m * 2 ** e),
    ssrcs: fc.array(uint32, { maxLength: 255 }),
  }),
  fc.record({
    type: kind('transportFeedback'),
    ...sources,
    baseSequence: uint16,
    feedbackCount: uint8,
    referenceTime: fc.integer({ min: 0, max: 0xffffff }),
    arrivalsMicros,
  }),
);

const hex = (bytes: string) => Buffer.from(bytes.replace(/\s/g, ''), 'hex');

describe('RTCP compounds', () => {
  it('give back every packet that was written', () => {
    fc.assert(
      fc.property(fc.array(packets, { maxLength: 6 }), (compound) => {
        expect(parseRtcpCompound(writeRtcpCompound(compound))).toEqual(compound);
      }),
    );
  });

  it('never throw on arbitrary bytes, and what is read is bounded', () => {
    const frames = fc
      .array(
        fc.tuple(
          fc.integer({ min: 0x80, max: 0xbf }),
          fc.integer({ min: 199, max: 208 }),
          fc.uint8Array({ maxLength: 60 }),
        ),
        { maxLength: 5 },
      )
      .map((parts) =>
        Buffer.concat(
          parts.map(([first, type, body]) => {
            const words = body.length >> 2;
            return Buffer.concat([Buffer.from([first, type, 0, words]), body.subarray(0, words * 4)]);
          }),
        ),
      );
    const mutated = fc
      .tuple(fc.array(packets, { minLength: 1, maxLength: 3 }), fc.array(fc.tuple(fc.nat(200), uint8)))
      .map(([compound, changes]) => {
        const bytes = writeRtcpCompound(compound);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), frames, mutated), (bytes) => {
        for (const packet of parseRtcpCompound(bytes)) {
          if (packet.type === 'nack') expect(packet.sequences.length).toBeLessThanOrEqual(NACK_SEQUENCES_MAX);
          if (packet.type === 'transportFeedback') {
            expect(packet.arrivalsMicros.length).toBeLessThanOrEqual(TRANSPORT_FEEDBACK_STATUSES_MAX);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('skip unknown and malformed packets, and ignore a broken rest', () => {
    const unknown = hex('80cc0001 00000001');
    const shortReport = hex('81c80001 00000001');
    const pli: RtcpPacket = { type: 'pictureLossIndication', senderSsrc: 1, mediaSsrc: 2 };
    const bytes = Buffer.concat([unknown, shortReport, writeRtcpCompound([pli]), hex('80c90005 0000')]);
    expect(parseRtcpCompound(bytes)).toEqual([pli]);
  });

  it('stop after a bounded number of packets', () => {
    const empty: RtcpPacket = { type: 'receiverReport', ssrc: 1, reports: [] };
    const compound = writeRtcpCompound(Array<RtcpPacket>(RTCP_PACKETS_MAX + 1).fill(empty));
    expect(parseRtcpCompound(compound)).toHaveLength(RTCP_PACKETS_MAX);
  });

  it('strip padding and refuse impossible padding', () => {
    expect(parseRtcpCompound(hex('a1cb0002 00000001 00000004'))).toEqual([{ type: 'goodbye', ssrcs: [1] }]);
    expect(parseRtcpCompound(hex('a1cb0002 00000001 00000040'))).toEqual([]);
  });
});

describe('wire format', () => {
  it.each<[string, RtcpPacket, string]>([
    [
      'NACK',
      { type: 'nack', senderSsrc: 1, mediaSsrc: 2, sequences: [65535, 0, 15, 16] },
      '81cd0004 00000001 00000002 ffff8001 00100000',
    ],
    ['PLI', { type: 'pictureLossIndication', senderSsrc: 1, mediaSsrc: 2 }, '81ce0002 00000001 00000002'],
    [
      'FIR',
      { type: 'fullIntraRequest', senderSsrc: 1, entries: [{ ssrc: 2, sequence: 7 }] },
      '84ce0004 00000001 00000000 00000002 07000000',
    ],
    [
      'REMB',
      { type: 'receiverEstimatedMaxBitrate', senderSsrc: 1, bitrateBps: 8_927_168, ssrcs: [0x4a5b] },
      '8fce0005 00000001 00000000 52454d42 011a20df 00004a5b',
    ],
    [
      'SDES',
      { type: 'sourceDescription', chunks: [{ ssrc: 1, cname: 'ab' }] },
      '81ca0003 00000001 01026162 00000000',
    ],
    ['BYE', { type: 'goodbye', ssrcs: [1], reason: 'abc' }, '81cb0002 00000001 03616263'],
  ])('of %s is as the RFC draws it', (_name, packet, expected) => {
    expect(writeRtcpCompound([packet]).toString('hex')).toBe(expected.replace(/\s/g, ''));
    expect(parseRtcpCompound(hex(expected))).toEqual([packet]);
  });

  it('of a REMB bitrate keeps 18 bits, rounded down', () => {
    const remb: RtcpPacket = {
      type: 'receiverEstimatedMaxBitrate',
      senderSsrc: 1,
      bitrateBps: 1_234_567,
      ssrcs: [],
    };
    expect(parseRtcpCompound(writeRtcpCompound([remb]))).toMatchObject([{ bitrateBps: 1_234_560 }]);
  });
});

describe('transport-cc feedback', () => {
  const feedback = (arrivals: TransportFeedback['arrivalsMicros']): TransportFeedback => ({
    type: 'transportFeedback',
    senderSsrc: 1,
    mediaSsrc: 2,
    baseSequence: 5,
    feedbackCount: 3,
    referenceTime: 0x010203,
    arrivalsMicros: arrivals,
  });
  const control = (arrivals: TransportFeedback['arrivalsMicros']) =>
    writeRtcpCompound([feedback(arrivals)])
      .subarray(12)
      .toString('hex');

  it('uses a run for equal statuses', () => {
    // Two statuses, a run of two small deltas (0x2002), 1 ms and 0.25 ms.
    expect(control([1_000, 1_250])).toBe('00050002' + '01020303' + '2002' + '0401');
  });

  it('uses one-bit and two-bit vectors for mixed statuses', () => {
    // received, lost, received: 1 0 1 from bit 13 on.
    expect(control([250, null, 500])).toBe('00050003' + '01020303' + 'a800' + '0101');
    // small, lost, large negative: 01 00 10 from bit 13 on.
    expect(control([250, null, 0])).toBe('00050003' + '01020303' + 'd200' + '01ffff' + '000000');
  });

  it('refuses a run of none, the reserved symbol and missing deltas', () => {
    const parse = (rest: string) => parseRtcpCompound(hex('8fcd0005 00000001 00000002' + rest));
    expect(parse('0005 0002 010203 03 2002 0401')).toHaveLength(1);
    expect(parse('0005 0002 010203 03 2000 0401')).toEqual([]);
    expect(parse('0005 0002 010203 03 6002 0401')).toEqual([]);
    expect(parse('0005 0003 010203 03 2003 0401')).toEqual([]);
    expect(parse('0005 ffff 010203 03 1fff 0401')).toEqual([]);
  });

  const init = { senderSsrc: 1, mediaSsrc: 2, feedbackCount: 255 };

  it('is built from arrivals in any order, with the gap since the last one', () => {
    const [packet, ...more] = buildTransportFeedback({
      ...init,
      nextSequence: 65_533,
      arrivals: [
        { sequence: 1, atMicros: 6_500_000 },
        { sequence: 65_535, atMicros: 6_400_100 },
        { sequence: 1, atMicros: 9_000_000 },
      ],
    });
    expect(more).toEqual([]);
    expect(packet).toMatchObject({ baseSequence: 65_533, feedbackCount: 255, referenceTime: 100 });
    expect(packet?.arrivalsMicros).toEqual([null, null, 0, null, 100_000]);
  });

  it('is split when a step of time does not fit, and counts on', () => {
    const built = buildTransportFeedback({
      ...init,
      arrivals: [
        { sequence: 10, atMicros: 0 },
        { sequence: 12, atMicros: 9_000_000 },
      ],
    });
    expect(built.map((packet) => [packet.baseSequence, packet.feedbackCount])).toEqual([
      [10, 255],
      [11, 0],
    ]);
  });

  it('reports every arrival once, within half a tick, whatever the arrivals', () => {
    const arrivals = fc
      .tuple(
        uint16,
        fc.uniqueArray(fc.tuple(fc.nat(1_500), fc.nat(20_000_000)), {
          selector: ([step]) => step,
          maxLength: 200,
        }),
      )
      .map(([base, steps]) =>
        steps.map(([step, atMicros]) => ({ sequence: (base + step) % 65_536, atMicros })),
      );
    fc.assert(
      fc.property(arrivals, (list) => {
        const built = buildTransportFeedback({ ...init, arrivals: list });
        const read = parseRtcpCompound(writeRtcpCompound(built)) as TransportFeedback[];
        const reported = new Map<number, number>();
        for (const packet of read) {
          packet.arrivalsMicros.forEach((micros, index) => {
            const sequence = (packet.baseSequence + index) % 65_536;
            if (micros === null) return;
            expect(reported.has(sequence)).toBe(false);
            reported.set(sequence, packet.referenceTime * 64_000 + micros);
          });
        }
        expect(reported.size).toBe(list.length);
        for (const { sequence, atMicros } of list) {
          expect(Math.abs(reported.get(sequence)! - atMicros)).toBeLessThanOrEqual(125);
        }
      }),
    );
  });
});

describe('NTP time', () => {
  it('converts both ways, across the era of 2036', () => {
    expect(toNtpTime(0)).toEqual({ seconds: 2_208_988_800, fraction: 0 });
    expect(toNtpTime(500).fraction).toBe(2 ** 31);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2100, 0) }), (unixMs) => {
        expect(Math.abs(ntpTimeToUnixMs(toNtpTime(unixMs)) - unixMs)).toBeLessThan(0.001);
      }),
    );
  });

  it('gives the round trip of a report block', () => {
    const sentAt = toNtpTime(1_700_000_000_000);
    const report = {
      lastSenderReport: compactNtp(sentAt),
      delaySinceLastSenderReport: toCompactDuration(400),
    };
    expect(roundTripMs(toNtpTime(1_700_000_000_450), report)).toBeCloseTo(50, 0);
    expect(roundTripMs(toNtpTime(1_700_000_000_300), report)).toBeNull();
    expect(roundTripMs(sentAt, { ...report, lastSenderReport: 0 })).toBeNull();
  });
});
