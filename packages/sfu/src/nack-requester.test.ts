import { describe, expect, it } from 'vitest';
import { MISSING_PACKETS_MAX, NACK_AGE_MS_MAX, NACK_ATTEMPTS_MAX } from './limits.js';
import { NackRequester } from './nack-requester.js';

const never = (): boolean => false;

describe('asking for missing packets', () => {
  it('asks once at first, then again with growing pauses', () => {
    const nacks = new NackRequester();
    nacks.add(0, 100, 2);
    expect(nacks.due(0, never)).toEqual([100, 101]);
    const repeats: number[] = [];
    for (let now = 1; now < NACK_AGE_MS_MAX; now++) if (nacks.due(now, never).length > 0) repeats.push(now);
    const pauses = repeats.map((at, index) => at - (repeats[index - 1] ?? 0));
    expect(pauses[0]).toBe(40);
    for (let index = 1; index < pauses.length; index++) {
      expect(pauses[index]).toBeGreaterThan(pauses[index - 1] ?? 0);
    }
  });

  it('stops when the packet has come', () => {
    const nacks = new NackRequester();
    nacks.add(0, 7, 1);
    expect(nacks.due(5, (index) => index === 7)).toEqual([]);
    expect(nacks.size).toBe(0);
  });

  it('gives a packet up after a bounded number of attempts and a bounded age', () => {
    const nacks = new NackRequester();
    nacks.add(0, 1, 1);
    let asked = 0;
    for (let now = 0; now <= NACK_AGE_MS_MAX * 2; now += 5) asked += nacks.due(now, never).length;
    expect(asked).toBeLessThanOrEqual(NACK_ATTEMPTS_MAX);
    expect(nacks.size).toBe(0);
  });

  it('prefers a key frame to repairing an outage', () => {
    const nacks = new NackRequester();
    expect(nacks.add(0, 0, MISSING_PACKETS_MAX)).toBe(true);
    expect(nacks.add(0, 10_000, 1)).toBe(false);
    expect(nacks.size).toBe(0);
  });

  it('does not restart the clock of a packet that is reported missing twice', () => {
    const nacks = new NackRequester();
    nacks.add(0, 5, 1);
    nacks.due(0, never);
    nacks.add(10, 5, 1);
    expect(nacks.due(10, never)).toEqual([]);
  });
});
