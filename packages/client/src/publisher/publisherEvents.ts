import type { OTEvent } from '../events/event.js';
import type { Device } from '../media/devices.js';
import type { VideoSize } from '../media/properties.js';
import type { Stream } from '../session/stream.js';
import type { Publisher } from './publisher.js';

type Event<Type extends string, Fields = unknown> = OTEvent<Type, Publisher> & Fields;

/** Events of a publisher. */
export interface PublisherEvents {
  /** The browser asks the user, as far as it says so; always for a screen. */
  accessDialogOpened: Event<'accessDialogOpened'>;
  accessDialogClosed: Event<'accessDialogClosed'>;
  accessAllowed: Event<'accessAllowed'>;
  accessDenied: Event<'accessDenied'>;
  streamCreated: Event<'streamCreated', { stream: Stream }>;
  /** Default action: the publisher is destroyed and its element removed. */
  streamDestroyed: Event<'streamDestroyed', { stream: Stream; reason: string }>;
  destroyed: Event<'destroyed'>;
  videoElementCreated: Event<'videoElementCreated', { element: HTMLVideoElement }>;
  mediaStreamAvailable: Event<'mediaStreamAvailable', { mediaStream: MediaStream }>;
  videoDimensionsChanged: Event<'videoDimensionsChanged', { oldValue: VideoSize; newValue: VideoSize }>;
  /** Another microphone: by `setAudioSource`, or because the one before was unplugged. */
  audioInputDeviceChanged: Event<'audioInputDeviceChanged', { device: Device }>;
  /** A device was taken away, or the user ended the sharing of the screen. */
  mediaStopped: Event<'mediaStopped', { track: MediaStreamTrack }>;
  /** A moderator, or the server, has muted its sound. */
  muteForced: Event<'muteForced'>;
  /** `audioLevel` from 0 to 1, ten times a second while somebody listens. */
  audioLevelUpdated: Event<'audioLevelUpdated', { audioLevel: number }>;
}
