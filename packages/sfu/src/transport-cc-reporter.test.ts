import { describe, expect, it } from 'vitest';
import { TRANSPORT_CC_INTERVAL_MS } from './limits.js';
import { TransportCcReporter } from './transport-cc-reporter.js';
import { REFERENCE_TIME_MICROS, type TransportFeedback } from '@godwit/rtp';

const SOURCES = { senderSsrc: 1, mediaSsrc: 2 };

/** Absolute arrival times of a report, microseconds, by sequence number. */
function arrivals(reports: readonly TransportFeedback[]): Map<number, number> {
  const times = new Map<number, number>();
  for (const { baseSequence, referenceTime, arrivalsMicros } of reports) {
    arrivalsMicros.forEach((micros, offset) => {
      if (micros !== null)
        times.set((baseSequence + offset) % 0x10000, referenceTime * REFERENCE_TIME_MICROS + micros);
    });
  }
  return times;
}

function packets(from: number, count: number, startMicros: number): { sequence: number; atMicros: number }[] {
  return Array.from({ length: count }, (_, n) => ({
    sequence: (from + n) % 0x10000,
    atMicros: startMicros + n * 10_000,
  }));
}

describe('transport-wide feedback', () => {
  it('reports every arrival once, lost numbers as gaps, and counts its messages', () => {
    const reporter = new TransportCcReporter();
    const first = reporter.report(100, packets(65_530, 4, 50_000), SOURCES);
    const second = reporter.report(200, packets(2, 3, 150_000), SOURCES);
    expect([...arrivals(first).keys()]).toEqual([65_530, 65_531, 65_532, 65_533]);
    expect(second[0]?.baseSequence).toBe(65_534);
    expect(second[0]?.arrivalsMicros.slice(0, 4)).toEqual([null, null, null, null]);
    expect(second[0]?.feedbackCount).toBe(1);
  });

  it('waits for its interval', () => {
    const reporter = new TransportCcReporter();
    reporter.report(100, packets(0, 1, 0), SOURCES);
    expect(reporter.isDue(100 + TRANSPORT_CC_INTERVAL_MS - 1)).toBe(false);
    expect(reporter.isDue(100 + TRANSPORT_CC_INTERVAL_MS)).toBe(true);
  });

  it('runs one clock through a move between machines whose clocks differ by hours', () => {
    const source = new TransportCcReporter();
    source.report(1_000, packets(0, 10, 900_000), SOURCES);
    const frozen = source.freeze(1_000_000);
    const target = new TransportCcReporter();
    // Frozen when the target's clock said 7,200,000,000; thawed 2 ms later.
    target.thaw(7_200_002_000, frozen, 2_000);
    const reports = target.report(7_200_010, [{ sequence: 10, atMicros: 7_200_007_000 }], SOURCES);
    // Seven milliseconds after the freeze, on the same clock as before, to the resolution of the format.
    expect(Math.abs((arrivals(reports).get(10) ?? 0) - 1_007_000)).toBeLessThanOrEqual(250);
    expect(reports[0]?.feedbackCount).toBe(1);
    expect(reports[0]?.baseSequence).toBe(10);
  });
});
