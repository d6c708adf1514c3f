/** What one person sends. Whoever asked for it ends it with `stop`, which may be called again. */
export interface MediaSource {
  readonly kind: 'camera' | 'test-picture';
  readonly video: MediaStreamTrack | false;
  readonly audio: MediaStreamTrack | false;
  stop(): void;
}
