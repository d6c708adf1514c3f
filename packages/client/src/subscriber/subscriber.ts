import type { StreamMedia } from '../connection/mediaConnection.js';
import { otError } from '../errors.js';
import { complete } from '../events/completion.js';
import type { Completion } from '../events/completion.js';
import { Emitter } from '../events/emitter.js';
import { makeEvent } from '../events/event.js';
import type { FrameTimeline } from '../gap/frameTimeline.js';
import { watchFrames } from '../gap/frameWatcher.js';
import { browserPlatform } from '../signalling/platform.js';
import type { Stream } from '../session/stream.js';
import { rtpStreamsOf, selectStats } from '../stats/selectStats.js';
import type { StatsEntry } from '../stats/selectStats.js';
import { subscriberStats } from '../stats/shapes.js';
import type { SubscriberStats } from '../stats/shapes.js';
import { AudioLevelMeter } from '../view/audioLevelMeter.js';
import { Playback } from '../view/playback.js';
import { createWidget } from '../view/widget.js';
import type { Widget, WidgetProperties, WidgetTarget } from '../view/widget.js';
import type { SubscriberEvents, VideoReason } from './subscriberEvents.js';

/** Options of `session.subscribe` (names of OpenTok.js). */
export interface SubscriberProperties extends WidgetProperties {
  subscribeToAudio?: boolean;
  subscribeToVideo?: boolean;
  /** 0 to 100; default 100. */
  audioVolume?: number;
  /** Kept for compatibility; the default view has no controls to style. */
  style?: Record<string, unknown>;
}

/** What a session gives to its subscriber. */
export interface SubscriptionHandle {
  readonly timeline: FrameTimeline;
  /** Says what is wanted; the server is told when that changes anything. */
  update(wanted: { audio?: boolean; video?: boolean }): void;
  getStats(): Promise<RTCStatsReport>;
}

/** A stream of somebody else, shown in the page. Made by `session.subscribe`. */
export class Subscriber extends Emitter<SubscriberEvents> {
  readonly id: string = `OT_${crypto.randomUUID()}`;
  /** The container; undefined with `insertDefaultUI: false`. */
  readonly element: HTMLElement | undefined;
  readonly stream: Stream;
  readonly #handle: SubscriptionHandle;
  readonly #widget: Widget;
  readonly #playback: Playback;
  readonly #levels: AudioLevelMeter;
  readonly #stopWatching: () => void;
  #received: MediaStream | undefined;
  #media: StreamMedia | undefined;
  #wantsAudio: boolean;
  #wantsVideo: boolean;
  #volume: number;
  #size = { width: 0, height: 0 };
  #lastStats: SubscriberStats | undefined;
  #destroyed = false;

  /** @internal Use `session.subscribe`. */
  constructor(
    handle: SubscriptionHandle,
    stream: Stream,
    target: WidgetTarget | undefined,
    properties: SubscriberProperties,
  ) {
    super();
    this.stream = stream;
    this.#handle = handle;
    this.#wantsAudio = properties.subscribeToAudio ?? true;
    this.#wantsVideo = properties.subscribeToVideo ?? true;
    this.#volume = clampVolume(properties.audioVolume ?? 100);
    this.#widget = createWidget('subscriber', this.id, target, properties);
    this.element = this.#widget.element;
    const { video } = this.#widget;
    video.volume = this.#volume / 100;
    video.addEventListener('resize', () => this.#resized());
    this.#playback = new Playback(video, false, {
      audioBlocked: () => this.dispatch('audioBlocked', makeEvent('audioBlocked', this, {})),
      audioUnblocked: () => this.dispatch('audioUnblocked', makeEvent('audioUnblocked', this, {})),
    });
    this.#stopWatching = watchFrames(video, handle.timeline);
    this.#updateTimeline();
    this.#levels = new AudioLevelMeter(
      browserPlatform,
      () => Promise.resolve(this.#media?.audio?.receiver.getSynchronizationSources()[0]?.audioLevel),
      () => this.listenerCount('audioLevelUpdated') > 0,
      (audioLevel) =>
        this.dispatch('audioLevelUpdated', makeEvent('audioLevelUpdated', this, { audioLevel })),
    );
  }

  get streamId(): string {
    return this.stream.streamId;
  }

  /** Receives sound or not; nothing is renegotiated. */
  subscribeToAudio(value: boolean, completion?: Completion): this {
    this.#wantsAudio = value;
    this.#applyWishes();
    this.#handle.update({ audio: value });
    completion?.();
    return this;
  }

  /** Receives pictures or not; nothing is renegotiated. */
  subscribeToVideo(value: boolean, completion?: Completion): this {
    const changed = this.#wantsVideo !== value;
    this.#wantsVideo = value;
    this.#applyWishes();
    this.#handle.update({ video: value });
    if (changed && this.stream.hasVideo) this.#announceVideo(value, 'subscribeToVideo');
    completion?.();
    return this;
  }

  /** Volume of this subscriber, 0 to 100. */
  setAudioVolume(volume: number, completion?: Completion): this {
    this.#volume = clampVolume(volume);
    this.#widget.video.volume = this.#volume / 100;
    completion?.();
    return this;
  }

  getAudioVolume(): number {
    return this.#volume;
  }

  isAudioBlocked(): boolean {
    return this.#playback.isBlocked();
  }

  /** Counters of what is received (shape of OpenTok.js); rates are since the last call. */
  getStats(completion: Completion<SubscriberStats>): void {
    const stats = this.getRtcStatsReport().then((report) => {
      this.#lastStats = subscriberStats(report, this.#lastStats, Date.now());
      return this.#lastStats;
    });
    complete(stats, completion, 'OT_NOT_CONNECTED');
  }

  /** The browser's report, with only this subscriber's inbound streams and what they refer to. */
  async getRtcStatsReport(): Promise<Map<string, StatsEntry>> {
    const media = this.#media;
    if (media === undefined) throw otError('OT_NOT_CONNECTED', 'The subscriber is not connected.');
    const transceivers = [media.audio, media.video].filter((each) => each !== undefined);
    return selectStats(await this.#handle.getStats(), rtpStreamsOf('inbound-rtp', transceivers));
  }

  videoWidth(): number | undefined {
    return this.#widget.video.videoWidth || undefined;
  }

  videoHeight(): number | undefined {
    return this.#widget.video.videoHeight || undefined;
  }

  /** @internal */
  announceElement(): void {
    if (this.#destroyed) return;
    const element = this.#widget.video;
    this.dispatch('videoElementCreated', makeEvent('videoElementCreated', this, { element }));
  }

  /** @internal Media has been negotiated. */
  attach(media: StreamMedia): void {
    this.#media = media;
    this.#received = new MediaStream();
    this.#applyWishes();
    this.#handle.update({ audio: this.#wantsAudio, video: this.#wantsVideo });
    void this.#playback.start(this.#received);
    this.#levels.start();
    if (media.refusals.some(({ kind }) => kind === 'video') && this.stream.hasVideo) {
      this.#announceVideo(false, 'codecNotSupported');
    }
  }

  /** @internal */
  announceConnected(connected: boolean): void {
    if (this.#media === undefined) return;
    if (connected) this.dispatch('connected', makeEvent('connected', this, {}));
    else this.dispatch('disconnected', makeEvent('disconnected', this, {}));
  }

  /** @internal The publisher muted or unmuted its video. */
  hasVideoChanged(hasVideo: boolean): void {
    this.#applyWishes();
    if (this.#wantsVideo) this.#announceVideo(hasVideo, 'publishVideo');
  }

  /** @internal Ends everything and takes the element away, unless `keepElement`. */
  destroy(reason: string, keepElement = false): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#stopWatching();
    this.#levels.stop();
    this.#playback.stop();
    if (!keepElement) this.#widget.remove();
    this.#media = undefined;
    this.dispatch('destroyed', makeEvent('destroyed', this, { reason }));
  }

  /** A video track without pictures would hold the sound back, so tracks come and go with the stream. */
  #applyWishes(): void {
    this.#updateTimeline();
    const received = this.#received;
    if (received === undefined) return;
    const place = (transceiver: RTCRtpTransceiver | undefined, wanted: boolean): void => {
      const track = transceiver?.receiver.track;
      if (track === undefined) return;
      track.enabled = wanted;
      if (wanted) received.addTrack(track);
      else received.removeTrack(track);
    };
    place(this.#media?.audio, this.#wantsAudio);
    place(this.#media?.video, this.#wantsVideo && this.stream.hasVideo);
  }

  #updateTimeline(): void {
    const { timeline } = this.#handle;
    if (this.#wantsVideo && this.stream.hasVideo) timeline.resume('muted');
    else timeline.suspend('muted', browserPlatform.now());
  }

  #announceVideo(enabled: boolean, reason: VideoReason): void {
    if (enabled) this.dispatch('videoEnabled', makeEvent('videoEnabled', this, { reason }));
    else this.dispatch('videoDisabled', makeEvent('videoDisabled', this, { reason }));
  }

  #resized(): void {
    const { videoWidth: width, videoHeight: height } = this.#widget.video;
    const oldValue = this.#size;
    const newValue = { width, height };
    this.#size = newValue;
    const event = makeEvent('videoDimensionsChanged', this, { oldValue, newValue });
    this.dispatch('videoDimensionsChanged', event);
  }
}

const clampVolume = (volume: number): number => Math.min(100, Math.max(0, volume));
