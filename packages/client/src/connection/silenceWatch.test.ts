import { beforeEach, expect, it } from 'vitest';
import { SILENCE_MS, SILENCE_SAMPLE_MS, SILENCE_WITHOUT_MEDIA_MS, SUSPICION_MAX_MS } from '../limits.js';
import { FakePlatform } from '../testing/fakePlatform.js';
import { receivedOf, SilenceWatch } from './silenceWatch.js';

let platform: FakePlatform;
let watch: SilenceWatch;
let received: number;
let flows: boolean;
let hasMedia: boolean;
let looks: number;
let seen: string[];

beforeEach(() => {
  platform = new FakePlatform();
  [received, flows, hasMedia, looks, seen] = [0, true, true, 0, []];
  watch = new SilenceWatch(platform, {
    received: () => {
      looks += 1;
      if (flows) received += 1;
      return Promise.resolve(received);
    },
    hasMedia: () => hasMedia,
    silent: () => seen.push('silent'),
    heard: () => seen.push('heard'),
  });
});

it('says nothing of a node that is only out of control’s sight, and stops looking', async () => {
  watch.start();
  await platform.advance(10 * SUSPICION_MAX_MS);
  expect(seen).toEqual([]);
  expect(looks).toBeLessThanOrEqual(SUSPICION_MAX_MS / SILENCE_SAMPLE_MS + 2);
});

it('says once that nothing comes, and when something comes again', async () => {
  watch.start();
  await platform.advance(SILENCE_SAMPLE_MS);
  flows = false;
  await platform.advance(SILENCE_MS - 1);
  expect(seen).toEqual([]);
  await platform.advance(1);
  expect(seen).toEqual(['silent']);
  await platform.advance(2 * SUSPICION_MAX_MS);
  flows = true;
  await platform.advance(SILENCE_SAMPLE_MS);
  expect(seen).toEqual(['silent', 'heard']);
});

it('says nothing of a transport without media, to which only answers to checks come', async () => {
  [hasMedia, flows] = [false, false];
  watch.start();
  for (let checks = 0; checks < 6; checks += 1) {
    await platform.advance(2_500);
    received += 1;
  }
  expect(seen).toEqual([]);
});

it('says that nothing comes to a transport without media, once several checks had no answer', async () => {
  [hasMedia, flows] = [false, false];
  watch.start();
  await platform.advance(SILENCE_WITHOUT_MEDIA_MS - 1);
  expect(seen).toEqual([]);
  await platform.advance(1);
  expect(seen).toEqual(['silent']);
});

it('gives media that was just agreed upon the time to come', async () => {
  [hasMedia, flows] = [false, false];
  watch.start();
  await platform.advance(3 * SILENCE_MS);
  hasMedia = true;
  await platform.advance(SILENCE_MS - 1);
  expect(seen).toEqual([]);
  await platform.advance(1);
  expect(seen).toEqual(['silent']);
});

it('does not take a dropped candidate pair for something that came, and hears what comes after it', async () => {
  received = 1_000;
  watch.start();
  await platform.advance(SILENCE_SAMPLE_MS);
  flows = false;
  await platform.advance(2 * SILENCE_MS);
  received = 10;
  await platform.advance(SILENCE_SAMPLE_MS);
  expect(seen).toEqual(['silent']);
  flows = true;
  await platform.advance(SILENCE_SAMPLE_MS);
  expect(seen).toEqual(['silent', 'heard']);
});

it('remembers when something last came', async () => {
  expect(watch.heardAtMs).toBeUndefined();
  watch.start();
  await platform.advance(0);
  flows = false;
  await platform.advance(10 * SILENCE_MS);
  expect(watch.heardAtMs).toBe(0);
});

it('does not answer with what came during a suspicion of long ago', async () => {
  watch.start();
  await platform.advance(SUSPICION_MAX_MS - 1);
  expect(watch.heardAtMs).toBeDefined();
  await platform.advance(100 * SUSPICION_MAX_MS);
  expect(watch.heardAtMs).toBeUndefined();
});

it('is quiet once closed', async () => {
  watch.start();
  flows = false;
  await platform.advance(SILENCE_SAMPLE_MS);
  watch.close();
  await platform.advance(10 * SILENCE_MS);
  expect(seen).toEqual([]);
});

it('counts bytes and checks of every pair, and nothing else', () => {
  const report = new Map<string, unknown>([
    ['a', { type: 'candidate-pair', bytesReceived: 10, responsesReceived: 2 }],
    ['b', { type: 'candidate-pair', bytesReceived: 5, requestsReceived: 1 }],
    ['c', { type: 'inbound-rtp', bytesReceived: 1_000 }],
  ]);
  expect(receivedOf(report)).toBe(18);
});
