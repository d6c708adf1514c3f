import type { WidgetProperties } from '../view/widget.js';

/** Sizes that `resolution` takes. */
export type Resolution =
  '320x180' | '320x240' | '640x360' | '640x480' | '1280x720' | '1280x960' | '1920x1080';

/** A size of pictures, pixels. */
export interface VideoSize {
  width: number;
  height: number;
}

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
  /** The camera gives no more than this; a shared screen is scaled down to it. */
  maxResolution?: VideoSize;
  frameRate?: 30 | 15 | 7 | 1;
  facingMode?: 'user' | 'environment' | 'left' | 'right';
  /** Taken for camera and microphone as they are, in place of what the other options make (W3C mediacapture). */
  constraints?: { audio?: boolean | MediaTrackConstraints; video?: boolean | MediaTrackConstraints };
  echoCancellation?: boolean;
  noiseSuppression?: boolean;
  autoGainControl?: boolean;
  /** Neither echo cancellation nor noise suppression nor gain control, whatever the three above say. */
  disableAudioProcessing?: boolean;
  /** A microphone that is unplugged ends the sound, instead of being replaced by the default one. */
  disableAudioInputDeviceManagement?: boolean;
  name?: string;
  initials?: string;
  /** Mirrors the local picture; default true for cameras. */
  mirror?: boolean;
  publishAudio?: boolean;
  publishVideo?: boolean;
  /** Opus sends next to nothing in silence. */
  enableDtx?: boolean;
  /** Opus sends two channels, if the source has them; what is heard is up to the receiver. */
  enableStereo?: boolean;
  /** Bits per second, 6,000 to 510,000. */
  audioBitrate?: number;
  /** Bits per second. */
  maxVideoBitrate?: number;
  /** Given to the video track; absent leaves what it has. */
  videoContentHint?: VideoContentHint;
  preferredVideoCodecs?: 'automatic' | VideoCodecName[];
}
