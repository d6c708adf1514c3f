import type { MediaKind } from '@godwit/protocol';
import type { StreamMedia } from '../connection/mediaConnection.js';
import type { Encoding } from '../connection/transceivers.js';
import { asOTError } from '../errors.js';
import { complete } from '../events/completion.js';
import type { Completion } from '../events/completion.js';
import { Emitter } from '../events/emitter.js';
import { makeEvent } from '../events/event.js';
import { reported } from '../events/exceptions.js';
import { withPromise } from '../events/withPromise.js';
import type { PublisherProperties, VideoContentHint, VideoSize } from '../media/properties.js';
import type { LocalMedia, VideoType } from '../media/sources.js';
import { log } from '../log.js';
import { browserPlatform } from '../signalling/platform.js';
import type { Stream } from '../session/stream.js';
import type { StatsEntry } from '../stats/selectStats.js';
import { publisherStats } from '../stats/shapes.js';
import type { PublisherStatsContainer } from '../stats/shapes.js';
import { AudioLevelMeter } from '../view/audioLevelMeter.js';
import type { WidgetStyle } from '../view/look.js';
import { LocalAudioLevel } from '../view/localAudioLevel.js';
import { MediaView } from '../view/mediaView.js';
import type { WidgetTarget } from '../view/widget.js';
import { LocalSources } from './localSources.js';
import type { NewSource } from './localSources.js';
import type { PublisherEvents } from './publisherEvents.js';
import { audioLevelOf, reportOf } from './publisherReport.js';
import { VideoWishes } from './videoWishes.js';
import type { VideoBitratePreset } from './videoWishes.js';

/** What a session gives to the publisher that it publishes. */
export interface PublicationHandle {
  /** The session, for the property of that name. */
  readonly session: unknown;
  readonly media: StreamMedia;
  update(properties: { hasAudio?: boolean; hasVideo?: boolean; videoDimensions?: VideoSize }): void;
  encodeVideo(encoding: Encoding): Promise<void>;
  replaceTrack(kind: MediaKind, track: MediaStreamTrack): Promise<void>;
  getStats(): Promise<RTCStatsReport>;
  /** Ends the publication. */
  end(): void;
}

/** One element of the answer of `Publisher.getRtcStatsReport`. */
export interface PublisherRtcStatsReportContainer {
  rtcStatsReport: Map<string, StatsEntry>;
}

/** Where a publisher's pictures come from. */
export interface VideoSource {
  /** Null for a track of the page. */
  deviceId: string | null;
  type: VideoType;
  track: MediaStreamTrack | null;
}

/** Camera and microphone (or given tracks), shown in the page and published to a session. Made by `OT.initPublisher`. */
export class Publisher extends Emitter<PublisherEvents> {
  readonly id: string = `OT_${crypto.randomUUID()}`;
  /** The container; undefined with `insertDefaultUI: false`. */
  readonly element: HTMLElement | undefined;
  /** The published stream; set before callbacks and events tell of it. */
  stream: Stream | undefined;
  /** Undefined until the page answered the question for camera and microphone. */
  accessAllowed: boolean | undefined;
  /** @internal */
  readonly properties: Readonly<PublisherProperties>;
  readonly #view: MediaView;
  readonly #sources: LocalSources;
  readonly #wishes: VideoWishes;
  readonly #media: Promise<LocalMedia>;
  readonly #levels: AudioLevelMeter;
  readonly #localLevel = new LocalAudioLevel();
  #handle: PublicationHandle | undefined;
  #destroyed = false;

  /** @internal Use `OT.initPublisher`. */
  constructor(target: WidgetTarget | undefined, properties: PublisherProperties, completion?: Completion) {
    super();
    this.properties = properties;
    this.#wishes = new VideoWishes(properties.maxVideoBitrate);
    const subject = { role: 'publisher', id: this.id, target, name: properties.name ?? '' } as const;
    this.#view = new MediaView(subject, properties, {
      audioBlocked: () => undefined,
      audioUnblocked: () => undefined,
      resized: (oldValue, newValue) => this.#resized(oldValue, newValue),
    });
    this.element = this.#view.element;
    this.#sources = new LocalSources(properties, {
      asking: (active) => this.#announceDialog(active),
      stopped: (track) => this.dispatch('mediaStopped', makeEvent('mediaStopped', this, { track })),
      microphoneChanged: (device) =>
        this.dispatch('audioInputDeviceChanged', makeEvent('audioInputDeviceChanged', this, { device })),
      videoChanged: (local) => this.#mirror(local),
      send: (kind, track) => this.#handle?.replaceTrack(kind, track) ?? Promise.resolve(),
    });
    this.#levels = new AudioLevelMeter(
      browserPlatform,
      async () =>
        this.#handle === undefined
          ? this.#localLevel.read(this.#sources.local?.audio)
          : audioLevelOf(this.#handle),
      () => this.listenerCount('audioLevelUpdated') > 0,
      (audioLevel) =>
        this.dispatch('audioLevelUpdated', makeEvent('audioLevelUpdated', this, { audioLevel })),
    );
    this.#media = this.#acquire();
    complete(
      this.#media.then(() => undefined),
      completion,
      'OT_INTERNAL_ERROR',
    );
  }

  get streamId(): string | undefined {
    return this.stream?.streamId;
  }

  /** The session that this publisher is published to. */
  get session(): unknown {
    return this.#handle?.session;
  }

  /** Sends or stops sending sound; others see `hasAudio` change. */
  readonly publishAudio = withPromise(
    (value: boolean, completion?: Completion): void =>
      complete(this.#publish('audio', value), completion, 'OT_INTERNAL_ERROR'),
    (value: boolean): Promise<void> => this.#publish('audio', value),
  );

  /** Sends or stops sending pictures; others see `hasVideo` change. */
  readonly publishVideo = withPromise(
    (value: boolean, completion?: Completion): void =>
      complete(this.#publish('video', value), completion, 'OT_INTERNAL_ERROR'),
    (value: boolean): Promise<void> => this.#publish('video', value),
  );

  /** @internal Muted from outside; `publishAudio(true)` unmutes. */
  muteForced(): void {
    this.publishAudio(false);
    this.dispatch('muteForced', makeEvent('muteForced', this, {}));
  }

  /** Takes the sound from another microphone, or a track of the page. Fails as `OT.initPublisher` does; the sound goes on then. */
  setAudioSource(source: NewSource): Promise<void> {
    return this.#exchanged(this.#sources.setAudio(source));
  }

  /** The track of the sound; null without one. */
  getAudioSource(): MediaStreamTrack | null {
    return this.#sources.local?.audio ?? null;
  }

  /** Takes the pictures from another camera, "screen" or a track of the page. Fails like `setAudioSource`. */
  setVideoSource(source: NewSource): Promise<void> {
    return this.#exchanged(this.#sources.setVideo(source));
  }

  getVideoSource(): VideoSource {
    const { video, videoType } = this.#sources.local ?? {};
    const isDevice = video !== undefined && videoType === 'camera';
    return {
      deviceId: isDevice ? (video.getSettings().deviceId ?? null) : null,
      type: videoType,
      track: video ?? null,
    };
  }

  /** Takes the next camera. Fails with OT_INVALID_PARAMETER when no camera is in use. */
  cycleVideo(): Promise<{ deviceId: string }> {
    return reported(this.#sources.nextCamera().then((deviceId) => ({ deviceId })));
  }

  /** Caps the video's bits per second, in place of a preset. */
  setMaxVideoBitrate(bitrateBps: number): Promise<void> {
    return this.#wish((wishes) => wishes.setMaxBitrate(bitrateBps));
  }

  /** Bits per second at most, by number or preset; undefined when only the browser bounds them. */
  getMaxVideoBitrate(): number | undefined {
    return this.#wishes.maxBitrateBps(this.#capturedSize());
  }

  /** Spends less, or much less, by the size of the pictures. */
  setVideoBitratePreset(preset: VideoBitratePreset): Promise<void> {
    return this.#wish((wishes) => wishes.setPreset(preset));
  }

  /** Undefined when `setMaxVideoBitrate` took its place. */
  getVideoBitratePreset(): VideoBitratePreset | undefined {
    return this.#wishes.preset;
  }

  /** Sends pictures no larger than this, in their own shape; null lifts it. What the page shows stays as it is. */
  setPreferredResolution(resolution: VideoSize | null): Promise<void> {
    return this.#wish((wishes) => wishes.setSize(resolution));
  }

  /** Sends at most so many pictures a second; null lifts it. */
  setPreferredFrameRate(framesPerSecond: number | null): Promise<void> {
    return this.#wish((wishes) => wishes.setFrameRate(framesPerSecond));
  }

  /** What the encoder of the pictures should care for. */
  getVideoContentHint(): VideoContentHint {
    const hint = this.#sources.local?.video?.contentHint ?? this.properties.videoContentHint ?? '';
    return hint as VideoContentHint;
  }

  /** Changes it; nothing happens without a video track. */
  setVideoContentHint(hint: VideoContentHint): void {
    const video = this.#sources.local?.video;
    if (video !== undefined) video.contentHint = hint;
  }

  /** Counters of what is sent (shape of OpenTok.js); one element, since all goes to the platform. */
  getStats(completion: Completion<PublisherStatsContainer[]>): void {
    const stats = reportOf(this.#handle).then((report) => [publisherStats(report, Date.now())]);
    complete(stats, completion, 'OT_NOT_CONNECTED');
  }

  /** The browser's report, with only this publisher's outbound streams and what they refer to. */
  getRtcStatsReport(): Promise<PublisherRtcStatsReportContainer[]> {
    return reported(reportOf(this.#handle).then((rtcStatsReport) => [{ rtcStatsReport }]));
  }

  /** The picture of now as PNG in base64, never mirrored; null while there is none. */
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

  /** Unpublishes, frees devices and removes the element. */
  destroy(): this {
    if (this.#destroyed) return this;
    this.#destroyed = true;
    this.#handle?.end();
    this.#levels.stop();
    this.#localLevel.close();
    this.#sources.stop();
    this.#view.end();
    this.dispatch('destroyed', makeEvent('destroyed', this, {}));
    return this;
  }

  /** @internal Local tracks, once there. Fails as the callback of initPublisher did. */
  ready(): Promise<LocalMedia> {
    return this.#media;
  }

  /** @internal */
  get isDestroyed(): boolean {
    return this.#destroyed;
  }

  /** @internal How the video is to be encoded now. */
  videoEncoding(): Encoding {
    return this.#wishes.encoding(this.#capturedSize());
  }

  /** @internal The session publishes this publisher; `stream` is set before anyone hears of it. */
  began(stream: Stream, handle: PublicationHandle): void {
    this.stream = stream;
    this.#handle = handle;
    this.#localLevel.close();
    // What was changed while it was being published.
    for (const kind of ['audio', 'video'] as const) {
      const track = this.#sources.local?.[kind];
      const sender = handle.media[kind]?.sender;
      if (track === undefined || sender === undefined || sender.track === track) continue;
      handle.replaceTrack(kind, track).catch((error: unknown) => log.warn('a new source is not sent', error));
    }
    this.#applyWishes();
  }

  /** @internal */
  announce(): void {
    if (this.stream === undefined) return;
    this.dispatch('streamCreated', makeEvent('streamCreated', this, { stream: this.stream }));
  }

  /** @internal The publication is over. */
  ended(reason: string): void {
    const { stream } = this;
    this.#handle = undefined;
    if (stream === undefined) return;
    this.stream = undefined;
    const event = makeEvent('streamDestroyed', this, { stream, reason }, true);
    this.dispatch('streamDestroyed', event);
    if (!event.isDefaultPrevented()) this.destroy();
  }

  async #acquire(): Promise<LocalMedia> {
    let local: LocalMedia;
    try {
      local = await this.#sources.acquire();
    } catch (error) {
      this.accessAllowed = false;
      if (!this.#destroyed) this.dispatch('accessDenied', makeEvent('accessDenied', this, {}, true));
      throw error;
    }
    this.accessAllowed = true;
    this.#show(local);
    return local;
  }

  #announceDialog(active: boolean): void {
    if (active) this.dispatch('accessDialogOpened', makeEvent('accessDialogOpened', this, {}));
    else this.dispatch('accessDialogClosed', makeEvent('accessDialogClosed', this, {}));
  }

  #show(local: LocalMedia): void {
    const { video } = this.#view;
    this.#mirror(local);
    this.#view.showVideo(local.video !== undefined && this.#sources.isPublished('video'));
    this.#view.play(local.stream);
    this.#levels.start();
    this.dispatch('accessAllowed', makeEvent('accessAllowed', this, {}));
    const { stream: mediaStream } = local;
    this.dispatch('mediaStreamAvailable', makeEvent('mediaStreamAvailable', this, { mediaStream }));
    this.dispatch('videoElementCreated', makeEvent('videoElementCreated', this, { element: video }));
  }

  #mirror({ videoType }: LocalMedia): void {
    this.#view.mirror(this.properties.mirror ?? videoType === 'camera');
  }

  #resized(oldValue: VideoSize, newValue: VideoSize): void {
    const event = makeEvent('videoDimensionsChanged', this, { oldValue, newValue });
    this.dispatch('videoDimensionsChanged', event);
    const known = this.stream?.videoDimensions;
    if (known === undefined || (known.width === newValue.width && known.height === newValue.height)) return;
    this.#handle?.update({ videoDimensions: newValue });
    this.#applyWishes();
  }

  async #publish(kind: MediaKind, value: boolean): Promise<void> {
    this.#sources.publish(kind, value);
    const has = value && this.#sources.local?.[kind] !== undefined;
    this.#handle?.update(kind === 'audio' ? { hasAudio: has } : { hasVideo: has });
    if (kind === 'video' && this.#sources.local?.video !== undefined) this.#view.showVideo(value);
    return Promise.resolve();
  }

  async #exchanged(exchange: Promise<unknown>): Promise<void> {
    const done = exchange.then(
      () => undefined,
      (error: unknown) => {
        throw asOTError(error, 'OT_PUBLISHER_WEBRTC_ERROR');
      },
    );
    return reported(done);
  }

  /** Holds at once where it is published, else from then on. */
  #wish(change: (wishes: VideoWishes) => void): Promise<void> {
    const applied = async (): Promise<void> => {
      change(this.#wishes);
      if (this.#handle?.media.video !== undefined) await this.#handle.encodeVideo(this.videoEncoding());
    };
    return reported(applied());
  }

  /** They are by the size of the pictures, and were by another one. */
  #applyWishes(): void {
    const encoding = this.videoEncoding();
    if (this.#handle?.media.video === undefined || Object.keys(encoding).length === 0) return;
    this.#handle
      .encodeVideo(encoding)
      .catch((error: unknown) => log.warn('the encoder does not take its bounds', error));
  }

  #capturedSize(): VideoSize {
    if (this.#view.size.width > 0) return this.#view.size;
    const { width = 0, height = 0 } = this.#sources.local?.video?.getSettings() ?? {};
    return { width, height };
  }
}
