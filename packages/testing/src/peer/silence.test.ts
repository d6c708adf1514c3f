import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fallsSilent } from './silence.js';

// By a clock of its own; the limits are those of the SDK.

const CHECK_INTERVAL_MS = 2_500;
let heardMs: number;
let hasMedia: boolean;
const suspect = { heardMs: () => heardMs, hasMedia: () => hasMedia, isOfInterest: () => true };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'setInterval', 'clearInterval'] });
  [heardMs, hasMedia] = [performance.now(), true];
});
afterEach(() => vi.useRealTimers());

/** When it was found silent, ms after now; null when it was not. */
async function silentAfterMs(): Promise<number | null> {
  const sinceMs = performance.now();
  const end = fallsSilent(suspect).then((isSilent) => (isSilent ? performance.now() - sinceMs : null));
  await vi.advanceTimersByTimeAsync(20_000);
  return end;
}

it('a transport with media is silent soon', async () => {
  expect(await silentAfterMs()).toBe(1_250);
});

it('a transport without media is silent when several checks had no answer, and not between two', async () => {
  hasMedia = false;
  const checks = setInterval(() => (heardMs = performance.now()), CHECK_INTERVAL_MS);
  expect(await silentAfterMs()).toBeNull();
  clearInterval(checks);
  heardMs = performance.now();
  expect(await silentAfterMs()).toBe(6_750);
});

it('media that was just agreed upon has time to come', async () => {
  hasMedia = false;
  setTimeout(() => (hasMedia = true), 3_100);
  expect(await silentAfterMs()).toBe(4_250);
});
