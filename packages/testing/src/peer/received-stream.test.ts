import { describe, expect, it } from 'vitest';
import { ReceivedStream } from './received-stream.js';

const CLOCK_RATE = 48_000;
const FRAME = 960;

/** Takes the packet as a receiver does: examined, and accepted when it is fresh. */
function take(stream: ReceivedStream, nowMs: number, number: number, tag = number): string {
  const sequence = number % 0x10000;
  const verdict = stream.examine(sequence, tag);
  if (verdict === 'fresh') stream.accept(nowMs, sequence, tag, (number * FRAME) >>> 0, 100);
  return verdict;
}

describe('a received stream', () => {
  it('counts each packet once, across the wrap, and tells copies by their tags', () => {
    const stream = new ReceivedStream(1, CLOCK_RATE);
    for (let number = 65_530; number < 65_545; number++) {
      expect(take(stream, number, number)).toBe('fresh');
      expect(take(stream, number, number)).toBe('copy');
    }
    expect(stream.report(65_545)).toMatchObject({
      packets: 15,
      copies: 15,
      lost: 0,
      missing: 0,
      reusedNonces: 0,
    });
  });

  it('sees one sequence number with two ciphertexts', () => {
    const stream = new ReceivedStream(1, CLOCK_RATE);
    take(stream, 0, 1);
    take(stream, 1, 2);
    expect(take(stream, 2, 1, 77)).toBe('reusedNonce');
    expect(stream.report(2).reusedNonces).toBe(1);
  });

  it('calls a hole a loss only when no late packet has filled it in time', () => {
    const stream = new ReceivedStream(1, CLOCK_RATE);
    take(stream, 0, 1);
    take(stream, 10, 5);
    expect(stream.report(10)).toMatchObject({ missing: 3, lost: 0 });
    take(stream, 20, 3);
    expect(stream.report(20)).toMatchObject({ missing: 2, lost: 0, reordered: 1 });
    expect(stream.report(2_011)).toMatchObject({ missing: 0, lost: 2, packets: 3 });
  });

  it('tells the gap that the way added from the spacing of the packets', () => {
    const stream = new ReceivedStream(1, CLOCK_RATE);
    take(stream, 1_000, 1);
    take(stream, 1_020, 2);
    // Two frames later at the sender, three at the receiver.
    take(stream, 1_080, 4);
    expect(stream.worstGap(1_000, 1_081)).toEqual({ silenceMs: 60, addedMs: 20 });
    expect(stream.worstGap(5_000, 5_100)).toEqual({ silenceMs: 100, addedMs: 0 });
  });

  it('forgets gaps of an earlier time', () => {
    const stream = new ReceivedStream(1, CLOCK_RATE);
    take(stream, 1_000, 1);
    take(stream, 1_500, 2);
    take(stream, 1_520, 3);
    take(stream, 62_000, 4);
    take(stream, 62_020, 5);
    expect(stream.worstGap(1_000, 1_600)).toEqual({ silenceMs: 0, addedMs: 0 });
  });
});
