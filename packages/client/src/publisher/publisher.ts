import type { StreamMedia } from '../connection/mediaConnection.js';
import { otError } from '../errors.js';
import { complete } from '../events/completion.js';
import type { Completion } from '../events/completion.js';
import { Emitter } from '../events/emitter.js';
import { makeEvent } from '../events/event.js';
import type { PublisherProperties, VideoContentHint } from '../media/properties.js';
import { acquireMedia } from '../media/sources.js';
import type { LocalMedia } from '../media/sources.js';
import { browserPlatform } from '../signalling/platform.js';
import type { Stream } from '../session/stream.js';
import { rtpStreamsOf, selectStats } from '../stats/selectStats.js';
import type { StatsEntry } from '../stats/selectStats.js';
import { publisherStats } from '../stats/shapes.js';
import type { PublisherStatsContainer } from '../stats/shapes.js';
import { AudioLevelMeter } from '../view/audioLevelMeter.js';
import { Playback } from '../view/playback.js';
import { createWidget } from '../view/widget.js';
import type { Widget, WidgetTarget } from '../view/widget.js';
import type { PublisherEvents } from './publisherEvents.js';

/** What a session gives to the publisher that it publishes. */
export interface PublicationHandle {
  /** The session, for the property of that name. */
  readonly session: unknown;
  readonly media: StreamMedia;
  update(properties: { hasAudio?: boolean; hasVideo?: boolean; videoDimensions?: VideoSize }): void;
  capVideo(maxBitrateBps: number): Promise<void>;
  getStats(): Promise<RTCStatsReport>;
  /** Ends the publication. */
  end(): void;
}

interface VideoSize {
  width: number;
  height: number;
}

/** One element of the answer of `Publisher.getRtcStatsReport`. */
export interface PublisherRtcStatsReportContainer {
  rtcStatsReport: Map<string, StatsEntry>;
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
  readonly #widget: Widget;
  readonly #playback: Playback;
  readonly #media: Promise<LocalMedia>;
  readonly #levels: AudioLevelMeter;
  #local: LocalMedia | undefined;
  #handle: PublicationHandle | undefined;
  #destroyed = false;

  /** @internal Use `OT.initPublisher`. */
  constructor(target: WidgetTarget | undefined, properties: PublisherProperties, completion?: Completion) {
    super();
    this.properties = properties;
    this.#widget = createWidget('publisher', this.id, target, properties);
    this.element = this.#widget.element;
    this.#playback = new Playback(this.#widget.video, true, {
      audioBlocked: () => undefined,
      audioUnblocked: () => undefined,
    });
    this.#levels = new AudioLevelMeter(
      browserPlatform,
      () => this.#readAudioLevel(),
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
  publishAudio(value: boolean, completion?: Completion): void {
    this.#setEnabled('audio', value);
    this.#handle?.update({ hasAudio: value && this.#local?.audio !== undefined });
    completion?.();
  }

  /** Sends or stops sending pictures; others see `hasVideo` change. */
  publishVideo(value: boolean, completion?: Completion): void {
    this.#setEnabled('video', value);
    this.#handle?.update({ hasVideo: value && this.#local?.video !== undefined });
    completion?.();
  }

  /** @internal Muted from outside; `publishAudio(true)` unmutes. */
  muteForced(): void {
    this.publishAudio(false);
    this.dispatch('muteForced', makeEvent('muteForced', this, {}));
  }

  /** Caps the video's bits per second. */
  async setMaxVideoBitrate(bitrateBps: number): Promise<void> {
    if (this.#handle === undefined) throw otError('OT_NOT_CONNECTED', 'The publisher is not published.');
    await this.#handle.capVideo(bitrateBps);
  }

  /** What the encoder of the pictures should care for. */
  getVideoContentHint(): VideoContentHint {
    return (this.#local?.video?.contentHint ?? this.properties.videoContentHint ?? '') as VideoContentHint;
  }

  /** Changes it; nothing happens without a video track. */
  setVideoContentHint(hint: VideoContentHint): void {
    const video = this.#local?.video;
    if (video !== undefined) video.contentHint = hint;
  }

  /** Counters of what is sent (shape of OpenTok.js); one element, since all goes to the platform. */
  getStats(completion: Completion<PublisherStatsContainer[]>): void {
    const stats = this.#report().then((report) => [publisherStats(report, Date.now())]);
    complete(stats, completion, 'OT_NOT_CONNECTED');
  }

  /** The browser's report, with only this publisher's outbound streams and what they refer to. */
  async getRtcStatsReport(): Promise<PublisherRtcStatsReportContainer[]> {
    return [{ rtcStatsReport: await this.#report() }];
  }

  videoWidth(): number | undefined {
    return this.#widget.video.videoWidth || undefined;
  }

  videoHeight(): number | undefined {
    return this.#widget.video.videoHeight || undefined;
  }

  /** Unpublishes, frees devices and removes the element. */
  destroy(): this {
    if (this.#destroyed) return this;
    this.#destroyed = true;
    this.#handle?.end();
    this.#levels.stop();
    this.#playback.stop();
    for (const track of this.#local?.owned ?? []) track.stop();
    this.#widget.remove();
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

  /** @internal The session publishes this publisher; `stream` is set before anyone hears of it. */
  began(stream: Stream, handle: PublicationHandle): void {
    this.stream = stream;
    this.#handle = handle;
    this.#levels.start();
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
    this.#levels.stop();
    if (stream === undefined) return;
    this.stream = undefined;
    const event = makeEvent('streamDestroyed', this, { stream, reason }, true);
    this.dispatch('streamDestroyed', event);
    if (!event.isDefaultPrevented()) this.destroy();
  }

  async #acquire(): Promise<LocalMedia> {
    // Listeners that the page adds right after initPublisher hear everything.
    await Promise.resolve();
    let local: LocalMedia;
    try {
      local = await acquireMedia(this.properties);
    } catch (error) {
      this.accessAllowed = false;
      this.dispatch('accessDenied', makeEvent('accessDenied', this, {}, true));
      throw error;
    }
    if (this.#destroyed) {
      for (const track of local.owned) track.stop();
      throw otError('OT_INVALID_PARAMETER', 'The publisher was destroyed.');
    }
    this.#local = local;
    this.accessAllowed = true;
    this.#show(local);
    return local;
  }

  #show(local: LocalMedia): void {
    const { video } = this.#widget;
    const mirror = this.properties.mirror ?? local.videoType === 'camera';
    if (mirror) video.style.transform = 'scaleX(-1)';
    video.addEventListener('resize', () => this.#resized());
    for (const track of local.stream.getTracks()) {
      track.addEventListener('ended', () =>
        this.dispatch('mediaStopped', makeEvent('mediaStopped', this, { track })),
      );
    }
    void this.#playback.start(local.stream);
    this.dispatch('accessAllowed', makeEvent('accessAllowed', this, {}));
    this.dispatch('videoElementCreated', makeEvent('videoElementCreated', this, { element: video }));
  }

  #resized(): void {
    const { videoWidth: width, videoHeight: height } = this.#widget.video;
    const known = this.stream?.videoDimensions;
    if (known === undefined || (known.width === width && known.height === height)) return;
    this.#handle?.update({ videoDimensions: { width, height } });
  }

  #setEnabled(kind: 'audio' | 'video', enabled: boolean): void {
    const track = this.#local?.[kind];
    if (track !== undefined) track.enabled = enabled;
    // The question for the camera may still be open: the answer is applied then.
    else this.#media.then((local) => local[kind] && (local[kind].enabled = enabled)).catch(() => undefined);
  }

  async #report(): Promise<Map<string, StatsEntry>> {
    const handle = this.#handle;
    if (handle === undefined) throw otError('OT_NOT_CONNECTED', 'The publisher is not published.');
    const transceivers = [handle.media.audio, handle.media.video].filter((each) => each !== undefined);
    return selectStats(await handle.getStats(), rtpStreamsOf('outbound-rtp', transceivers));
  }

  async #readAudioLevel(): Promise<number | undefined> {
    const sources = [...(await this.#report()).values()].filter(({ type }) => type === 'media-source');
    const level = sources.find(({ kind }) => kind === 'audio')?.audioLevel;
    return typeof level === 'number' ? level : undefined;
  }
}
