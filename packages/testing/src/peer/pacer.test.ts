import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pacer } from './pacer.js';

describe('a pacer', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pacer = (): Pacer => new Pacer(() => performance.now());

  it('does each thing at its own pace, on time on average', () => {
    const wheel = pacer();
    const done: Record<string, number> = { fast: 0, slow: 0 };
    const fast = wheel.every(20, 0, () => (done['fast'] = (done['fast'] ?? 0) + 1));
    const slow = wheel.every(1_000, 0.5, () => (done['slow'] = (done['slow'] ?? 0) + 1));
    vi.advanceTimersByTime(10_010);
    expect(done).toEqual({ fast: 501, slow: 10 });
    fast.stop();
    slow.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('catches up a little after a stall, and not forever', () => {
    const wheel = pacer();
    let done = 0;
    const paced = wheel.every(10, 0, () => (done += 1));
    vi.advanceTimersByTime(100);
    const before = done;
    vi.setSystemTime(Date.now());
    vi.advanceTimersByTime(0);
    // The process did not run for three seconds: no timer fired meanwhile.
    const stalled = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_000);
    vi.advanceTimersByTime(2);
    expect(done - before).toBeLessThanOrEqual(5);
    expect(done).toBeGreaterThan(before);
    stalled.mockRestore();
    paced.stop();
  });

  it('stops what stops itself', () => {
    const wheel = pacer();
    let done = 0;
    const paced = wheel.every(10, 0, () => {
      done += 1;
      paced.stop();
    });
    vi.advanceTimersByTime(200);
    expect(done).toBe(1);
  });
});
