import { noteFrame, pauseSeries, type GapSeries } from './series.js';

/**
 * Notes every frame that `video` presents until the returned function is called.
 *
 * A callback may come late when the page is busy; `presentedFrames` then jumps by more than one and the time between
 * two callbacks is an upper bound of the true gap. The bound is kept: a gap is never understated.
 */
export function watchFrames(video: HTMLVideoElement, series: GapSeries): () => void {
  if (!('requestVideoFrameCallback' in video)) return () => undefined;
  let handle = 0;
  const onFrame = (_nowMs: number, metadata: VideoFrameCallbackMetadata): void => {
    // Callbacks of a hidden page come rarely, or not at all: they say nothing about the video.
    if (document.visibilityState === 'visible') noteFrame(series, metadata.presentationTime);
    handle = video.requestVideoFrameCallback(onFrame);
  };
  const onVisibility = (): void => {
    if (document.visibilityState === 'hidden') pauseSeries(series);
  };
  handle = video.requestVideoFrameCallback(onFrame);
  document.addEventListener('visibilitychange', onVisibility);
  return () => {
    video.cancelVideoFrameCallback(handle);
    document.removeEventListener('visibilitychange', onVisibility);
    pauseSeries(series);
  };
}
