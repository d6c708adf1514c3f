import { describe, expect, it } from 'vitest';
import { VideoWishes } from './videoWishes.js';

const CAPTURED = { width: 640, height: 480 };

describe('wishes for a video', () => {
  it('are none at first, so that the browser decides', () => {
    expect(new VideoWishes(undefined).encoding(CAPTURED)).toEqual({});
    expect(new VideoWishes(500_000).encoding(CAPTURED)).toEqual({ maxBitrate: 500_000 });
  });

  it('save by the pixel: a preset takes the place of a number, and the other way round', () => {
    const wishes = new VideoWishes(500_000);
    expect(wishes.preset).toBeUndefined();
    wishes.setPreset('bw_saver');
    expect([wishes.preset, wishes.maxBitrateBps(CAPTURED)]).toEqual(['bw_saver', 430_080]);
    wishes.setPreset('extra_bw_saver');
    expect(wishes.maxBitrateBps(CAPTURED)).toBe(215_040);
    wishes.setMaxBitrate(100_000);
    expect([wishes.preset, wishes.maxBitrateBps(CAPTURED)]).toEqual([undefined, 100_000]);
    wishes.setPreset('default');
    expect(wishes.encoding(CAPTURED)).toEqual({});
  });

  it('scale down, keeping the shape, and never up', () => {
    const wishes = new VideoWishes(undefined);
    wishes.setSize({ width: 320, height: 120 });
    expect(wishes.encoding(CAPTURED)).toEqual({ scaleResolutionDownBy: 4 });
    wishes.setSize({ width: 1920, height: 1080 });
    wishes.setFrameRate(7);
    expect(wishes.encoding(CAPTURED)).toEqual({ maxFramerate: 7 });
    wishes.setSize(null);
    wishes.setFrameRate(null);
    expect(wishes.encoding(CAPTURED)).toEqual({});
  });

  it('save on what is left after scaling', () => {
    const wishes = new VideoWishes(undefined);
    wishes.setPreset('bw_saver');
    wishes.setSize({ width: 320, height: 240 });
    expect(wishes.encoding(CAPTURED)).toEqual({ maxBitrate: 107_520, scaleResolutionDownBy: 2 });
  });

  it('that make no sense are refused', () => {
    const wishes = new VideoWishes(undefined);
    const refusal = expect.objectContaining({ name: 'OT_INVALID_PARAMETER' }) as unknown;
    expect(() => wishes.setMaxBitrate(0)).toThrow(refusal);
    expect(() => wishes.setFrameRate(Number.NaN)).toThrow(refusal);
    expect(() => wishes.setSize({ width: 0, height: 1 })).toThrow(refusal);
    expect(() => wishes.setPreset('toString' as 'default')).toThrow(refusal);
  });
});
