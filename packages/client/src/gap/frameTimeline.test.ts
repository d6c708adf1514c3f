import { describe, expect, it } from 'vitest';
import { FRAME_TIMES_MAX } from '../limits.js';
import { FrameTimeline } from './frameTimeline.js';

function timelineOf(...framesMs: number[]): FrameTimeline {
  const timeline = new FrameTimeline();
  for (const atMs of framesMs) timeline.frame(atMs);
  return timeline;
}

describe('the largest gap between presented frames', () => {
  it('is that of the window, not of what lies outside', () => {
    const timeline = timelineOf(0, 500, 533, 566, 616, 650, 2_000);
    expect(timeline.largestGapMs({ fromMs: 540, toMs: 640 })).toBe(50);
  });

  it('counts a gap that reaches over an edge in full', () => {
    const timeline = timelineOf(0, 100, 400, 433);
    expect(timeline.largestGapMs({ fromMs: 300, toMs: 420 })).toBe(300);
    expect(timeline.largestGapMs({ fromMs: 100, toMs: 300 })).toBe(300);
  });

  it('counts the wait for a frame that has not come', () => {
    expect(timelineOf(0, 33, 66).largestGapMs({ fromMs: 10, toMs: 1_066 })).toBe(1_000);
  });

  it('is unknown when nothing was presented', () => {
    expect(new FrameTimeline().largestGapMs({ fromMs: 0, toMs: 100 })).toBeNull();
    expect(timelineOf(500, 533).largestGapMs({ fromMs: 0, toMs: 100 })).toBeNull();
  });

  it('leaves out the time in which frames are not expected', () => {
    const timeline = timelineOf(0, 33);
    timeline.suspend('hidden', 40);
    timeline.frame(100);
    timeline.resume('hidden');
    timeline.frame(9_000);
    timeline.frame(9_040);
    expect(timeline.largestGapMs({ fromMs: 0, toMs: 9_040 })).toBe(40);
  });

  it('resumes only when no reason to suspend is left', () => {
    const timeline = timelineOf(0);
    timeline.suspend('hidden', 10);
    timeline.suspend('muted', 20);
    timeline.resume('hidden');
    timeline.frame(30);
    expect(timeline.largestGapMs({ fromMs: 11, toMs: 1_000 })).toBeNull();
  });

  it('stays right when frames are reported out of order', () => {
    expect(timelineOf(0, 50, 45, 90).largestGapMs({ fromMs: 1, toMs: 90 })).toBe(50);
  });

  it('is kept for a bounded number of frames', () => {
    const timeline = new FrameTimeline();
    timeline.frame(0);
    for (let index = 0; index < FRAME_TIMES_MAX; index += 1) timeline.frame(1_000 + index);
    expect(timeline.largestGapMs({ fromMs: 0, toMs: 1_500 })).toBe(1);
  });
});
