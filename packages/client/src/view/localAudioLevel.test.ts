import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OT } from '../ot.js';
import { FakePage, FakeTrack } from '../testing/fakePage.js';
import { LocalAudioLevel } from './localAudioLevel.js';

let heard: number[];
let open: number;
beforeEach(() => {
  new FakePage().install();
  heard = [0, 0.25, -0.5];
  open = 0;
  vi.stubGlobal(
    'AudioContext',
    class {
      constructor() {
        open += 1;
      }
      createAnalyser() {
        return { getFloatTimeDomainData: (samples: Float32Array) => samples.set(heard) };
      }
      createMediaStreamSource() {
        return { connect: () => undefined };
      }
      close() {
        open -= 1;
        return Promise.resolve();
      }
    },
  );
});
afterEach(() => vi.unstubAllGlobals());

it('the level is the largest sample, whatever its sign, and never above 1', () => {
  const level = new LocalAudioLevel();
  const track = new FakeTrack('audio').given;
  expect(level.read(track)).toBe(0.5);
  heard = [2, 0, 0];
  expect(level.read(track)).toBe(1);
});

it('another track is listened to in place of the one before, and nothing after the end', () => {
  const level = new LocalAudioLevel();
  level.read(new FakeTrack('audio').given);
  level.read(new FakeTrack('audio').given);
  expect(open).toBe(1);
  expect(level.read(undefined)).toBeUndefined();
  expect(open).toBe(0);
});

it('there is none where the browser has no Web Audio', () => {
  vi.stubGlobal('AudioContext', undefined);
  expect(new LocalAudioLevel().read(new FakeTrack('audio').given)).toBeUndefined();
});

it('a publisher tells its level before it is published, if somebody listens, until it is destroyed', async () => {
  const unheard = await OT.initPublisher.promise();
  const publisher = await OT.initPublisher.promise();
  const levels: number[] = [];
  publisher.on('audioLevelUpdated', ({ audioLevel }) => levels.push(audioLevel));
  await vi.waitFor(() => expect(levels).toEqual([0.5]));
  expect(open).toBe(1);
  publisher.destroy();
  unheard.destroy();
  expect(open).toBe(0);
});
