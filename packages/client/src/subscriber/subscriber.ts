import type { StreamMedia } from '../connection/mediaConnection.js';
import { otError } from '../errors.js';
import { complete } from '../events/completion.js';
import type { Completion } from '../events/completion.js';
import { Emitter } from '../events/emitter.js';
import { makeEvent } from '../events/event.js';
import { reported } from '../events/exceptions.js';
import { withPromise } from '../events/withPromise.js';
import type { FrameTimeline } from '../gap/frameTimeline.js';
import { watchFrames } from '../gap/frameWatcher.js';
import { browserPlatform } from '../signalling/platform.js';
import type { Stream } from '../session/stream.js';
import { rtpStreamsOf, selectStats } from '../stats/selectStats.js';
import type { StatsEntry } from '../stats/selectStats.js';
import { subscriberStats } from '../stats/shapes.js';
import type { SubscriberStats } from '../stats/shapes.js';
import { AudioLevelMeter } from '../view/audioLevelMeter.js';
import type { WidgetStyle } from '../view/look.js';
import { MediaView } from '../view/mediaView.js';
import type { WidgetProperties, WidgetTarget } from '../view/widget.js';
import type { SubscriberEvents, VideoReason } from './subscriberEvents.js';

/** Options of `session.subscribe` (names of OpenTok.js). */
export interface SubscriberProperties extends WidgetProperties {
  subscribeToAudio?: boolean;
  subscribeToVideo?: boolean;
  /** 0 to 100; default 100. */
  audioVolume?: number;
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
  readonly #view: MediaView;
  readonly #levels: AudioLevelMeter;
  readonly #stopWatching: () => void;
  #received: MediaStream | undefined;
  #media: StreamMedia | undefined;
  #wantsAudio: boolean;
  #wantsVideo: boolean;
  #volume: number;
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
    this.#volume = clampVolume(Number(properties.audioVolume ?? 100));
    const subject = { role: 'subscriber', id: this.id, target, name: stream.name } as const;
    this.#view = new MediaView(subject, properties, {
      audioBlocked: () => this.dispatch('audioBlocked', makeEvent('audioBlocked', this, {})),
      audioUnblocked: () => this.dispatch('audioUnblocked', makeEvent('audioUnblocked', this, {})),
      resized: (oldValue, newValue) =>
        this.dispatch(
          'videoDimensionsChanged',
          makeEvent('videoDimensionsChanged', this, { oldValue, newValue }),
        ),
    });
    this.element = this.#view.element;
    const { video } = this.#view;
    video.volume = this.#volume / 100;
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
  readonly subscribeToAudio = withPromise(
    (value: boolean, completion?: Completion): this => {
      complete(this.#subscribeToAudio(value), completion, 'OT_INTERNAL_ERROR');
      return this;
    },
    (value: boolean): Promise<void> => this.#subscribeToAudio(value),
  );

  /** Receives pictures or not; nothing is renegotiated. */
  readonly subscribeToVideo = withPromise(
    (value: boolean, completion?: Completion): this => {
      complete(this.#subscribeToVideo(value), completion, 'OT_INTERNAL_ERROR');
      return this;
    },
    (value: boolean): Promise<void> => this.#subscribeToVideo(value),
  );

  /** Volume of this subscriber, 0 to 100; what lies beyond is brought into that range. */
  readonly setAudioVolume = withPromise(
    (volume: number, completion?: Completion): this => {
      complete(this.#setVolume(volume), completion, 'OT_INVALID_PARAMETER');
      return this;
    },
    (volume: number): Promise<void> => this.#setVolume(volume),
  );

  getAudioVolume(): number {
    return this.#volume;
  }

  isAudioBlocked(): boolean {
    return this.#view.isBlocked();
  }

  /** Counters of what is received (shape of OpenTok.js); rates are since the last call. */
  getStats(completion: Completion<SubscriberStats>): void {
    const stats = this.#report().then((report) => {
      this.#lastStats = subscriberStats(report, this.#lastStats, Date.now());
      return this.#lastStats;
    });
    complete(stats, completion, 'OT_NOT_CONNECTED');
  }

  /** The browser's report, with only this subscriber's inbound streams and what they refer to. */
  getRtcStatsReport(): Promise<Map<string, StatsEntry>> {
    return reported(this.#report());
  }

  /** The picture of now as PNG in base64; null while there is none. */
  getImgData(): string | null {
    return this.#view.still();
  }

  /** How the default view looks, as far as that can be chosen. */
  getStyle(): WidgetStyle {
    return this.#view.style;
  }

  /** Changes it: a style, or a name and its value. Names that the view has nothing for are left out. */
  setStyle(style: Partial<WidgetStyle> | keyof WidgetStyle, value?: string): this {
    this.#view.setStyle(style, value);
    return this;
  }

  videoWidth(): number | undefined {
    return this.#view.video.videoWidth || undefined;
  }

  videoHeight(): number | undefined {
    return this.#view.video.videoHeight || undefined;
  }

  /** @internal */
  announceElement(): void {
    if (this.#destroyed) return;
    const element = this.#view.video;
    this.dispatch('videoElementCreated', makeEvent('videoElementCreated', this, { element }));
  }

  /** @internal Media has been negotiated. */
  attach(media: StreamMedia): void {
    this.#media = media;
    const mediaStream = new MediaStream();
    this.#received = mediaStream;
    this.#applyWishes();
    this.#handle.update({ audio: this.#wantsAudio, video: this.#wantsVideo });
    this.#view.play(mediaStream);
    this.dispatch('mediaStreamAvailable', makeEvent('mediaStreamAvailable', this, { mediaStream }));
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
    this.#view.end(keepElement);
    this.#media = undefined;
    this.dispatch('destroyed', makeEvent('destroyed', this, { reason }));
  }

  #subscribeToAudio(value: boolean): Promise<void> {
    this.#wantsAudio = value;
    this.#applyWishes();
    this.#handle.update({ audio: value });
    return Promise.resolve();
  }

  #subscribeToVideo(value: boolean): Promise<void> {
    const changed = this.#wantsVideo !== value;
    this.#wantsVideo = value;
    this.#applyWishes();
    this.#handle.update({ video: value });
    if (changed && this.stream.hasVideo) this.#announceVideo(value, 'subscribeToVideo');
    return Promise.resolve();
  }

  #setVolume(volume: number): Promise<void> {
    if (Number.isNaN(Number(volume))) {
      return Promise.reject(otError('OT_INVALID_PARAMETER', 'A volume is a number from 0 to 100.'));
    }
    this.#volume = clampVolume(Number(volume));
    this.#view.video.volume = this.#volume / 100;
    return Promise.resolve();
  }

  /** A video track without pictures would hold the sound back, so tracks come and go with the stream. */
  #applyWishes(): void {
    this.#updateTimeline();
    this.#view.showVideo(this.#wantsVideo && this.stream.hasVideo);
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

  async #report(): Promise<Map<string, StatsEntry>> {
    const media = this.#media;
    if (media === undefined) throw otError('OT_NOT_CONNECTED', 'The subscriber is not connected.');
    const transceivers = [media.audio, media.video].filter((each) => each !== undefined);
    return selectStats(await this.#handle.getStats(), rtpStreamsOf('inbound-rtp', transceivers));
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
}

/** What is no number is full volume. */
const clampVolume = (volume: number): number =>
  Number.isNaN(volume) ? 100 : Math.min(100, Math.max(0, volume));
