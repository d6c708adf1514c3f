import type { OTEvent } from '../events/event.js';
import type { Stream } from '../session/stream.js';
import type { Publisher } from './publisher.js';

type Event<Type extends string, Fields = unknown> = OTEvent<Type, Publisher> & Fields;

/** Events of a publisher. */
export interface PublisherEvents {
  accessAllowed: Event<'accessAllowed'>;
  accessDenied: Event<'accessDenied'>;
  streamCreated: Event<'streamCreated', { stream: Stream }>;
  /** Default action: the publisher is destroyed and its element removed. */
  streamDestroyed: Event<'streamDestroyed', { stream: Stream; reason: string }>;
  destroyed: Event<'destroyed'>;
  videoElementCreated: Event<'videoElementCreated', { element: HTMLVideoElement }>;
  mediaStopped: Event<'mediaStopped', { track: MediaStreamTrack }>;
  /** A moderator, or the server, has muted its sound. */
  muteForced: Event<'muteForced'>;
  /** `audioLevel` from 0 to 1, while published. */
  audioLevelUpdated: Event<'audioLevelUpdated', { audioLevel: number }>;
}
