import type { FrameTimeline } from './frameTimeline.js';

/**
 * Notes each presented frame of a video element in a timeline. Where the page missed callbacks, the time between
 * two that came is an upper bound of the gap: errs towards reporting too much.
 * @returns a function that stops watching
 */
export function watchFrames(video: HTMLVideoElement, timeline: FrameTimeline): () => void {
  // Firefox before 132 has no such callback: its gaps stay unmeasured.
  if (typeof video.requestVideoFrameCallback !== 'function') return () => undefined;
  let handle = 0;
  const presented = (nowMs: number, metadata: VideoFrameCallbackMetadata): void => {
    timeline.frame(metadata.presentationTime ?? nowMs);
    handle = video.requestVideoFrameCallback(presented);
  };
  handle = video.requestVideoFrameCallback(presented);
  return () => video.cancelVideoFrameCallback(handle);
}
