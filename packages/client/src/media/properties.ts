import type { WidgetProperties } from '../view/widget.js';

/** Sizes that `resolution` takes. */
export type Resolution =
  '320x180' | '320x240' | '640x360' | '640x480' | '1280x720' | '1280x960' | '1920x1080';

/** Video codecs by the names that `preferredVideoCodecs` takes. */
export type VideoCodecName = 'vp8' | 'vp9' | 'h264' | 'av1';

/** What an encoder should care for: nothing special, sharp text, smooth motion or fine detail (W3C mst-content-hint). */
export type VideoContentHint = '' | 'text' | 'motion' | 'detail';

/** Options of `OT.initPublisher` (names of OpenTok.js). */
export interface PublisherProperties extends WidgetProperties {
  /** A track, a device id, false or null for none; true or absent for the default microphone. */
  audioSource?: MediaStreamTrack | string | boolean | null;
  /** A track, a device id, "screen", false or null for none; true or absent for the default camera. */
  videoSource?: MediaStreamTrack | string | boolean | null;
  resolution?: Resolution;
  frameRate?: 30 | 15 | 7 | 1;
  facingMode?: 'user' | 'environment';
  echoCancellation?: boolean;
  noiseSuppression?: boolean;
  autoGainControl?: boolean;
  name?: string;
  initials?: string;
  /** Mirrors the local picture; default true for cameras. */
  mirror?: boolean;
  publishAudio?: boolean;
  publishVideo?: boolean;
  /** Opus sends next to nothing in silence. */
  enableDtx?: boolean;
  /** Bits per second. */
  audioBitrate?: number;
  /** Bits per second. */
  maxVideoBitrate?: number;
  /** Given to the video track; absent leaves what it has. */
  videoContentHint?: VideoContentHint;
  preferredVideoCodecs?: 'automatic' | VideoCodecName[];
  /** Kept for compatibility; the default view has no controls to style. */
  style?: Record<string, unknown>;
}
