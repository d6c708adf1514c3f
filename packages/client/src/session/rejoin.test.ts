import type { LossReport } from '@godwit/protocol';
import { beforeEach, expect, it } from 'vitest';
import { REJOIN_MAX_MS } from '../limits.js';
import { FakePlatform } from '../testing/fakePlatform.js';
import { Rejoin } from './rejoin.js';

let platform: FakePlatform;
let rejoin: Rejoin;
let attempts: number;
let refusals: number;
let restored: LossReport[];
let failures: number;

beforeEach(() => {
  platform = new FakePlatform();
  [attempts, refusals, restored, failures] = [0, 0, [], 0];
  rejoin = new Rejoin(platform, {
    attempt: () => {
      attempts += 1;
      return attempts > refusals ? Promise.resolve() : Promise.reject(new Error('no node'));
    },
    restored: (report) => restored.push(report),
    failed: () => (failures += 1),
  });
});

it('tells how long nothing came, from the last that came', async () => {
  await platform.advance(2_000);
  rejoin.start(500);
  await platform.advance(0);
  expect(restored).toEqual([{ silentMs: 1_500, attempts: 1 }]);
  expect(rejoin.isRunning).toBe(false);
});

it('tries again until a node takes it', async () => {
  refusals = 3;
  rejoin.start(0);
  rejoin.start(0);
  await platform.advance(REJOIN_MAX_MS);
  expect(restored.map((report) => report.attempts)).toEqual([4]);
});

it('fails once, after a bounded time', async () => {
  refusals = Number.POSITIVE_INFINITY;
  rejoin.start(0);
  await platform.advance(10 * REJOIN_MAX_MS);
  expect([failures, restored]).toEqual([1, []]);
  const tried = attempts;
  await platform.advance(10 * REJOIN_MAX_MS);
  expect(attempts).toBe(tried);
});

it('stops when the session is left', async () => {
  refusals = Number.POSITIVE_INFINITY;
  rejoin.start(0);
  await platform.advance(0);
  rejoin.close();
  await platform.advance(10 * REJOIN_MAX_MS);
  expect([attempts, failures]).toEqual([1, 0]);
});
