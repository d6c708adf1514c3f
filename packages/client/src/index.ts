export { OT } from './ot.js';
export { OTError, ERRORS } from './errors.js';
export type { OTErrorName } from './errors.js';
export type { OTEvent } from './events/event.js';
export type { Completion } from './events/completion.js';
export type { Listeners } from './events/emitter.js';
export type { ExceptionEvent } from './events/exceptions.js';
export type { LogLevel } from './log.js';
export type { Device } from './media/devices.js';
export type {
  PublisherProperties,
  Resolution,
  VideoCodecName,
  VideoContentHint,
  VideoSize,
} from './media/properties.js';
export type { VideoType } from './media/sources.js';
export type { ScreenSharingCapability, SupportedCodecs } from './media/support.js';
export type { NewSource } from './publisher/localSources.js';
export type { Publisher, PublisherRtcStatsReportContainer, VideoSource } from './publisher/publisher.js';
export type { VideoBitratePreset } from './publisher/videoWishes.js';
export type { PublisherEvents } from './publisher/publisherEvents.js';
export type { CpuPerformanceState } from './session/cpuPressure.js';
export type { SessionOptions } from './session/options.js';
export type { Session } from './session/session.js';
export type { SessionEvents, SignalEvent, StreamProperty } from './session/sessionEvents.js';
export type { Signal } from './session/signal.js';
export type { Connection, Stream } from './session/stream.js';
export type { StatsEntry } from './stats/selectStats.js';
export type {
  PublisherStatsContainer,
  PublisherTrackStats,
  SubscriberStats,
  SubscriberTrackStats,
  SubscriberVideoStats,
} from './stats/shapes.js';
export type { Subscriber, SubscriberProperties } from './subscriber/subscriber.js';
export type { SubscriberEvents, VideoReason } from './subscriber/subscriberEvents.js';
export type { AudioOutputDevice } from './view/audioOutput.js';
export type { WidgetStyle } from './view/look.js';
export type { WidgetProperties, WidgetTarget } from './view/widget.js';
export type { Capabilities, GapReport, LossReport } from '@godwit/protocol';
