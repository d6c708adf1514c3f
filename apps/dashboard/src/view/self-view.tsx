import { useLayoutEffect, useRef } from 'preact/hooks';
import type { MediaSource } from '../media/source.js';

/** What a participant sends, straight from the source: no server in between, so nothing to measure. */
export function SelfView({ source, small }: { source: MediaSource; small: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useLayoutEffect(() => {
    if (video.current === null || source.video === false) return;
    video.current.srcObject = new MediaStream([source.video]);
    void video.current.play().catch(() => undefined);
  }, [source]);
  const mirrored = source.kind === 'camera' ? ' mirrored' : '';
  return (
    <video
      ref={video}
      class={`self-view${small ? ' small' : ''}${mirrored}`}
      muted
      playsInline
      autoplay
      aria-label="Your own picture"
    />
  );
}
