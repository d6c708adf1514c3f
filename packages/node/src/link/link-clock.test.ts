import { describe, expect, it } from 'vitest';
import { LinkClock } from './link-clock.js';

/** A peer whose clock is ahead by `aheadMicros`, over a path of two one-way delays. */
function exchange(
  ours: LinkClock,
  theirs: LinkClock,
  at: number,
  aheadMicros: number,
  there: number,
  back: number,
): void {
  const answer = theirs.receive(at + there + aheadMicros, ours.ping(at));
  if (answer === null) throw new Error('no answer');
  ours.receive(at + there + back, answer);
}

describe('the clock of a link', () => {
  it('trusts the sample with the shortest round trip', () => {
    const [ours, theirs] = [new LinkClock(), new LinkClock()];
    exchange(ours, theirs, 0, 5_000_000, 40_000, 500);
    exchange(ours, theirs, 200_000, 5_000_000, 300, 300);
    exchange(ours, theirs, 400_000, 5_000_000, 500, 90_000);
    expect(ours.offsetMicros).toBe(5_000_000);
    expect(ours.roundTripMs).toBe(0.6);
  });

  it('takes one answer to each ping, and none to what it never asked', () => {
    const [ours, theirs] = [new LinkClock(), new LinkClock()];
    exchange(ours, theirs, 0, 5_000_000, 1_000, 1_000);
    const late = ours.ping(100_000);
    const answer = theirs.receive(101_000 + 5_000_000, late);
    if (answer === null) throw new Error('no answer');
    ours.receive(102_000, answer);
    const lie = Buffer.from(answer);
    lie.writeDoubleBE(9e15, 10);
    ours.receive(102_000, lie);
    lie.writeDoubleBE(102_000, 2);
    ours.receive(102_000, lie);
    expect(ours.offsetMicros).toBe(5_000_000);
    expect(ours.roundTripMs).toBe(2);
  });

  it('knows nothing before the first answer and nothing from nonsense', () => {
    const clock = new LinkClock();
    expect(clock.offsetMicros).toBeNull();
    const bogus = Buffer.alloc(18, 0xff);
    bogus[0] = 2;
    bogus[1] = 1;
    expect(clock.receive(0, bogus)).toBeNull();
    expect(clock.receive(0, Buffer.from([2, 0, 1]))).toBeNull();
    for (const sent of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1]) {
      bogus.writeDoubleBE(sent, 2);
      bogus.writeDoubleBE(7, 10);
      expect(clock.receive(0, bogus)).toBeNull();
    }
    expect(clock.offsetMicros).toBeNull();
  });
});
