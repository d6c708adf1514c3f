import type { MediaKind } from '@godwit/protocol';
import { OTError, otError } from '../errors.js';
import { willAsk } from '../media/accessDialog.js';
import { listDevices } from '../media/devices.js';
import type { Device } from '../media/devices.js';
import type { PublisherProperties } from '../media/properties.js';
import { acquireMedia } from '../media/sources.js';
import type { LocalMedia } from '../media/sources.js';

/** What `setAudioSource` and `setVideoSource` take: a device id, "screen" (video only) or a track of the page. */
export type NewSource = string | MediaStreamTrack;

/** Who hears of a publisher's sources. */
export interface SourcesObserver {
  /** The browser begins, or has ended, to ask the user. */
  asking(active: boolean): void;
  /** A track ended by itself. */
  stopped(track: MediaStreamTrack): void;
  microphoneChanged(device: Device): void;
  /** The pictures come from elsewhere now. */
  videoChanged(local: LocalMedia): void;
  /** Makes whoever sends the kind send this track; fails when it cannot. */
  send(kind: MediaKind, track: MediaStreamTrack): Promise<void>;
}

/** Camera, microphone, screen or tracks of the page, which can be exchanged while they are sent. */
export class LocalSources {
  readonly #properties: PublisherProperties;
  readonly #observer: SourcesObserver;
  readonly #published: Record<MediaKind, boolean>;
  #local: LocalMedia | undefined;
  /** Exchanges run one after the other, behind the first opening. */
  #exchange: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(properties: PublisherProperties, observer: SourcesObserver) {
    this.#properties = properties;
    this.#observer = observer;
    const { publishAudio = true, publishVideo = true } = properties;
    this.#published = { audio: publishAudio, video: publishVideo };
  }

  /** Undefined until `acquire` has resolved. */
  get local(): LocalMedia | undefined {
    return this.#local;
  }

  /** Whether the page wants the kind to be sent. */
  isPublished(kind: MediaKind): boolean {
    return this.#published[kind];
  }

  /** Opens what the properties ask for. Fails with the OTError of what went wrong. */
  acquire(): Promise<LocalMedia> {
    const acquired = this.#acquire();
    this.#exchange = acquired.catch(() => undefined);
    return acquired;
  }

  /** Holds for the tracks that are there and for those to come. */
  publish(kind: MediaKind, value: boolean): void {
    this.#published[kind] = value;
    this.#enable(kind);
  }

  /** Takes the sound from elsewhere. Fails with the OTError of what went wrong; then the sound so far goes on. */
  setAudio(source: NewSource | undefined): Promise<MediaStreamTrack> {
    return this.#exchanged('audio', { ...this.#properties, audioSource: source, videoSource: false });
  }

  /** Takes the pictures from elsewhere; the same. */
  setVideo(source: NewSource): Promise<MediaStreamTrack> {
    return this.#exchanged('video', { ...this.#properties, audioSource: false, videoSource: source });
  }

  /** Takes the next camera of the browser's list. Fails with OT_INVALID_PARAMETER when no camera is in use. */
  async nextCamera(): Promise<string> {
    const { video, videoType } = this.#local ?? {};
    if (video === undefined || videoType !== 'camera') {
      throw otError('OT_INVALID_PARAMETER', 'The publisher shows no camera.');
    }
    const cameras = (await listDevices()).filter(({ kind }) => kind === 'videoInput');
    const current = cameras.findIndex(({ deviceId }) => deviceId === video.getSettings().deviceId);
    const next = cameras[(current + 1) % cameras.length];
    if (next === undefined) throw otError('OT_NO_DEVICES_FOUND');
    if (cameras.length > 1) await this.setVideo(next.deviceId);
    return next.deviceId;
  }

  /** Frees the devices. */
  stop(): void {
    this.#stopped = true;
    if (this.#local !== undefined) stopAll(this.#local);
  }

  async #acquire(): Promise<LocalMedia> {
    // Listeners that the page adds right after initPublisher hear everything.
    await Promise.resolve();
    const local = await this.#open(this.#properties);
    if (this.#stopped) {
      stopAll(local);
      throw otError('OT_INVALID_PARAMETER', 'The publisher was destroyed.');
    }
    this.#local = local;
    for (const kind of ['audio', 'video'] as const) this.#enable(kind);
    for (const track of local.stream.getTracks()) this.#watch(track);
    return local;
  }

  async #open(properties: PublisherProperties): Promise<LocalMedia> {
    const asks = await willAsk(properties);
    if (asks) this.#observer.asking(true);
    try {
      return await acquireMedia(properties);
    } finally {
      if (asks) this.#observer.asking(false);
    }
  }

  #exchanged(kind: MediaKind, properties: PublisherProperties): Promise<MediaStreamTrack> {
    // The page's own constraints would name the device so far.
    const wanted = { ...properties, constraints: undefined };
    const exchange = this.#exchange.then(() => this.#replace(kind, wanted));
    this.#exchange = exchange.catch(() => undefined);
    return exchange;
  }

  async #replace(kind: MediaKind, properties: PublisherProperties): Promise<MediaStreamTrack> {
    const local = this.#local;
    if (local === undefined) throw otError('OT_INVALID_PARAMETER', 'The publisher has no media yet.');
    const opened = await this.#openInstead(kind, properties, local);
    const track = opened[kind];
    if (track === undefined) throw otError('OT_INVALID_PARAMETER', `That source has no ${kind}.`);
    try {
      if (this.#stopped) throw otError('OT_INVALID_PARAMETER', 'The publisher was destroyed.');
      // Before it is sent: who is muted must not be heard for a moment.
      track.enabled = this.#published[kind];
      await this.#observer.send(kind, track);
      if (this.#stopped) throw otError('OT_INVALID_PARAMETER', 'The publisher was destroyed.');
    } catch (error) {
      stopAll(opened);
      throw error;
    }
    await this.#take(kind, track, opened, local);
    return track;
  }

  /** Many phones open one camera at a time: the one so far is given up where the other is in its way. */
  async #openInstead(
    kind: MediaKind,
    properties: PublisherProperties,
    local: LocalMedia,
  ): Promise<LocalMedia> {
    try {
      return await this.#open(properties);
    } catch (error) {
      const current = local[kind];
      const isBusy = error instanceof OTError && error.name === 'OT_HARDWARE_UNAVAILABLE';
      if (!isBusy || current === undefined || !local.owned.includes(current)) throw error;
      current.stop();
      return await this.#open(properties).catch((again: unknown) => {
        this.#observer.stopped(current);
        throw again;
      });
    }
  }

  async #take(
    kind: MediaKind,
    track: MediaStreamTrack,
    opened: LocalMedia,
    local: LocalMedia,
  ): Promise<void> {
    const former = local[kind];
    if (former !== undefined && former !== track) {
      local.stream.removeTrack(former);
      if (local.owned.includes(former)) former.stop();
    }
    if (kind === 'video' && former !== undefined && opened.owned.includes(track)) {
      track.contentHint = former.contentHint;
    }
    local[kind] = track;
    local.stream.addTrack(track);
    local.owned = [...local.owned.filter((each) => each !== former), ...opened.owned];
    this.#enable(kind);
    if (former !== track) this.#watch(track);
    if (kind === 'video') {
      local.videoType = opened.videoType;
      this.#observer.videoChanged(local);
    } else await this.#tellMicrophone(track);
  }

  async #tellMicrophone(track: MediaStreamTrack): Promise<void> {
    if (this.#local?.owned.includes(track) !== true) return;
    const { deviceId } = track.getSettings();
    const devices = await listDevices().catch((): Device[] => []);
    const device = devices.find((each) => each.kind === 'audioInput' && each.deviceId === deviceId);
    this.#observer.microphoneChanged(
      device ?? { kind: 'audioInput', deviceId: deviceId ?? '', label: track.label },
    );
  }

  #enable(kind: MediaKind): void {
    const track = this.#local?.[kind];
    if (track !== undefined) track.enabled = this.#published[kind];
  }

  #watch(track: MediaStreamTrack): void {
    track.addEventListener('ended', () => void this.#ended(track));
  }

  /** A microphone that is unplugged is replaced by the default one. */
  async #ended(track: MediaStreamTrack): Promise<void> {
    const local = this.#local;
    if (this.#stopped || local === undefined || (local.audio !== track && local.video !== track)) return;
    const isMicrophone = local.audio === track && local.owned.includes(track);
    if (isMicrophone && this.#properties.disableAudioInputDeviceManagement !== true) {
      const replaced = await this.setAudio(undefined).catch(() => undefined);
      if (replaced !== undefined) return;
    }
    this.#observer.stopped(track);
  }
}

function stopAll({ owned }: LocalMedia): void {
  for (const track of owned) track.stop();
}
