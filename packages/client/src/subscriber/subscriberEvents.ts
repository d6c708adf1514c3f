import type { OTEvent } from '../events/event.js';
import type { VideoSize } from '../media/properties.js';
import type { Subscriber } from './subscriber.js';

type Event<Type extends string, Fields = unknown> = OTEvent<Type, Subscriber> & Fields;

/** Why a subscriber's video came or went. */
export type VideoReason = 'publishVideo' | 'subscribeToVideo' | 'codecNotSupported';

/** Events of a subscriber. */
export interface SubscriberEvents {
  /** Media can flow: at first, and again after `disconnected`. */
  connected: Event<'connected'>;
  /** The media path broke; a restart is under way. */
  disconnected: Event<'disconnected'>;
  destroyed: Event<'destroyed', { reason: string }>;
  /** Fires after `subscribe` has returned. */
  videoElementCreated: Event<'videoElementCreated', { element: HTMLVideoElement }>;
  /** At first, and again after the media server died: the tracks come and go with `hasAudio` and `hasVideo`. */
  mediaStreamAvailable: Event<'mediaStreamAvailable', { mediaStream: MediaStream }>;
  videoDimensionsChanged: Event<'videoDimensionsChanged', { oldValue: VideoSize; newValue: VideoSize }>;
  videoEnabled: Event<'videoEnabled', { reason: VideoReason }>;
  videoDisabled: Event<'videoDisabled', { reason: VideoReason }>;
  /** Autoplay rules hold the sound back: call `OT.unblockAudio` from a click. */
  audioBlocked: Event<'audioBlocked'>;
  audioUnblocked: Event<'audioUnblocked'>;
  /** `audioLevel` from 0 to 1. */
  audioLevelUpdated: Event<'audioLevelUpdated', { audioLevel: number }>;
}
