import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Encoding } from '../connection/transceivers.js';
import type { PublisherProperties } from '../media/properties.js';
import { OT } from '../ot.js';
import type { Stream } from '../session/stream.js';
import { FakePage, FakeTrack } from '../testing/fakePage.js';
import { settle } from '../testing/fakePlatform.js';
import type { PublicationHandle, Publisher } from './publisher.js';
import type { PublisherEvents } from './publisherEvents.js';

let page: FakePage;
beforeEach(() => {
  page = new FakePage().install();
});
afterEach(() => vi.unstubAllGlobals());

/** What a session would do with a published publisher. */
class Publication implements PublicationHandle {
  readonly session = {};
  readonly updates: unknown[] = [];
  readonly sent: MediaStreamTrack[] = [];
  readonly encodings: Encoding[] = [];
  readonly media: PublicationHandle['media'];
  refuses = false;

  constructor(publisher: Publisher, audio: unknown, video: unknown) {
    const transceiver = (track: unknown) => ({ sender: { track } }) as RTCRtpTransceiver;
    this.media = {
      streamId: '1',
      refusals: [],
      ...(audio !== undefined && { audio: transceiver(audio) }),
      ...(video !== undefined && { video: transceiver(video) }),
    };
    const stream = { streamId: '1', videoDimensions: { width: 640, height: 480 } } as Stream;
    publisher.began(stream, this);
  }
  update(properties: object): void {
    this.updates.push(properties);
  }
  encodeVideo(encoding: Encoding): Promise<void> {
    this.encodings.push(encoding);
    return Promise.resolve();
  }
  replaceTrack(_kind: string, track: MediaStreamTrack): Promise<void> {
    if (this.refuses) return Promise.reject(new DOMException('', 'InvalidModificationError'));
    this.sent.push(track);
    return Promise.resolve();
  }
  getStats(): Promise<RTCStatsReport> {
    return Promise.resolve(new Map() as unknown as RTCStatsReport);
  }
  end(): void {}
}

const NAMES: (keyof PublisherEvents)[] = [
  'accessDialogOpened',
  'accessDialogClosed',
  'accessAllowed',
  'accessDenied',
  'mediaStreamAvailable',
  'videoElementCreated',
  'videoDimensionsChanged',
  'audioInputDeviceChanged',
  'mediaStopped',
  'destroyed',
];

function listen(publisher: Publisher): string[] {
  const heard: string[] = [];
  for (const name of NAMES) publisher.on(name, () => heard.push(name));
  return heard;
}

async function published(
  properties: PublisherProperties = {},
): Promise<{ publisher: Publisher; publication: Publication; heard: string[] }> {
  const publisher = await OT.initPublisher.promise(undefined, properties);
  const publication = new Publication(
    publisher,
    publisher.getAudioSource() ?? undefined,
    publisher.getVideoSource().track ?? undefined,
  );
  return { publisher, publication, heard: listen(publisher) };
}

describe('a publisher’s access', () => {
  it('is told in order: the question, its end, the media, the element', async () => {
    page.permission = 'prompt';
    const publisher = OT.initPublisher();
    const heard = listen(publisher);
    await settle();
    expect(heard).toEqual([
      'accessDialogOpened',
      'accessDialogClosed',
      'accessAllowed',
      'mediaStreamAvailable',
      'videoElementCreated',
    ]);
    expect(publisher.accessAllowed).toBe(true);
  });

  it('tells of no question where none is asked', async () => {
    const given = OT.initPublisher({ audioSource: new FakeTrack('audio').given, videoSource: false });
    const heard = listen(given);
    page.permission = 'prompt';
    await settle();
    expect(heard[0]).toBe('accessAllowed');
    expect(page.asked).toEqual([]);
  });

  it('that is refused ends the question, and takes the element of a promise away', async () => {
    page.permission = 'prompt';
    page.refuses.devices = 'NotAllowedError';
    const publisher = OT.initPublisher();
    const heard = listen(publisher);
    await settle();
    expect(heard).toEqual(['accessDialogOpened', 'accessDialogClosed', 'accessDenied']);
    expect(publisher.accessAllowed).toBe(false);
    await expect(OT.initPublisher.promise()).rejects.toMatchObject({ name: 'OT_USER_MEDIA_ACCESS_DENIED' });
    expect(page.element('div').removed).toBe(true);
  });
});

describe('another source', () => {
  it('of sound is sent in place of the one before, which is freed', async () => {
    const { publisher, publication, heard } = await published();
    const [before] = page.opened;
    await publisher.setAudioSource('audio-2');
    expect(page.asked.at(-1)).toMatchObject({ audio: { deviceId: { exact: 'audio-2' } }, video: false });
    const track = publisher.getAudioSource();
    expect(publication.sent).toEqual([track]);
    expect([before?.stopped, track?.enabled]).toEqual([true, true]);
    expect(heard).toEqual(['audioInputDeviceChanged']);
  });

  it('stays muted when what was before is muted, and has its hint', async () => {
    const { publisher } = await published({ videoContentHint: 'detail' });
    publisher.setVideoContentHint('text');
    await publisher.publishVideo.promise(false);
    await publisher.setVideoSource('video-2');
    expect(publisher.getVideoSource().track?.enabled).toBe(false);
    publisher.publishVideo(true);
    expect(publisher.getVideoSource().track?.enabled).toBe(true);
    expect(publisher.getVideoContentHint()).toBe('text');
  });

  it('of pictures is the next camera, round and round', async () => {
    const { publisher } = await published();
    expect(publisher.getVideoSource()).toMatchObject({ deviceId: 'video-1', type: 'camera' });
    expect(await publisher.cycleVideo()).toEqual({ deviceId: 'video-2' });
    expect(publisher.getVideoSource().deviceId).toBe('video-2');
    expect(await publisher.cycleVideo()).toEqual({ deviceId: 'video-1' });
  });

  it('is not the next camera where there is no other, or none in use', async () => {
    const { publisher } = await published();
    page.devices = page.devices.filter(({ deviceId }) => deviceId !== 'video-2');
    const asked = page.asked.length;
    expect(await publisher.cycleVideo()).toEqual({ deviceId: 'video-1' });
    expect(page.asked).toHaveLength(asked);
    const silent = await OT.initPublisher.promise({ videoSource: false });
    await expect(silent.cycleVideo()).rejects.toMatchObject({ name: 'OT_INVALID_PARAMETER' });
  });

  it('that is refused leaves what is there', async () => {
    const { publisher, publication } = await published();
    const before = publisher.getVideoSource().track;
    page.refuses.devices = 'NotFoundError';
    await expect(publisher.setVideoSource('gone')).rejects.toMatchObject({ name: 'OT_NO_DEVICES_FOUND' });
    page.refuses = {};
    publication.refuses = true;
    await expect(publisher.setVideoSource('video-2')).rejects.toMatchObject({ code: 1601 });
    expect(publisher.getVideoSource().track).toBe(before);
    expect(page.opened.map(({ stopped }) => stopped)).toEqual([false, false, true]);
  });

  it('that cannot be open beside the one before takes its place', async () => {
    const { publisher } = await published();
    page.refuses.devices = 'NotReadableError';
    const before = page.opened.find(({ kind }) => kind === 'video');
    const stop = vi.spyOn(before as FakeTrack, 'stop').mockImplementation(() => (page.refuses = {}));
    await publisher.setVideoSource('video-2');
    expect(stop).toHaveBeenCalled();
    expect(publisher.getVideoSource().deviceId).toBe('video-2');
  });

  it('is a screen or a track of the page, which stays the page’s', async () => {
    const { publisher } = await published();
    expect(page.element('video').style.transform).toBe('scaleX(-1)');
    await publisher.setVideoSource('screen');
    expect(publisher.getVideoSource()).toMatchObject({ deviceId: null, type: 'screen' });
    expect(page.element('video').style.transform).toBe('');
    const own = new FakeTrack('video');
    await publisher.setVideoSource(own.given);
    expect(publisher.getVideoSource()).toEqual({ deviceId: null, type: 'custom', track: own });
    publisher.destroy();
    expect([own.stopped, ...page.opened.map(({ stopped }) => stopped)]).toEqual([false, true, true, true]);
  });

  it('chosen before the first is open, or while it is being published, is the one that is sent', async () => {
    const publisher = OT.initPublisher();
    const chosen = publisher.setVideoSource('video-2');
    await chosen;
    const first = page.opened[1];
    const publication = new Publication(publisher, publisher.getAudioSource(), first);
    expect(publication.sent).toEqual([publisher.getVideoSource().track]);
  });
});

describe('a device that is unplugged', () => {
  it('is replaced by the default microphone', async () => {
    const { publisher, publication, heard } = await published({ audioSource: 'audio-2' });
    page.opened[0]?.end();
    await settle();
    expect(page.asked.at(-1)).toEqual({ audio: {}, video: false });
    expect(publication.sent).toEqual([publisher.getAudioSource()]);
    expect(heard).toEqual(['audioInputDeviceChanged']);
  });

  it.each<[string, PublisherProperties, string | undefined]>([
    ['the page wants to care for it', { disableAudioInputDeviceManagement: true }, undefined],
    ['there is no other', {}, 'NotFoundError'],
  ])('ends the sound when %s', async (_why, properties, refusal) => {
    const { heard } = await published(properties);
    if (refusal !== undefined) page.refuses.devices = refusal;
    page.opened[0]?.end();
    await settle();
    expect(heard).toEqual(['mediaStopped']);
  });

  it('ends the pictures; one that is not in use any more ends nothing', async () => {
    const { publisher, heard } = await published();
    const [, camera] = page.opened;
    await publisher.setVideoSource('video-2');
    camera?.end();
    await settle();
    expect(heard).toEqual([]);
    page.opened.at(-1)?.end();
    await settle();
    expect(heard).toEqual(['mediaStopped']);
  });
});

describe('a publisher’s pictures', () => {
  it('tell of their size, and the session of what differs', async () => {
    const { publisher, publication } = await published();
    const changes: unknown[] = [];
    publisher.on('videoDimensionsChanged', ({ oldValue, newValue }) => changes.push([oldValue, newValue]));
    const video = page.element('video');
    video.resize(640, 480);
    video.resize(640, 480);
    video.resize(480, 640);
    expect(changes).toEqual([
      [
        { width: 0, height: 0 },
        { width: 640, height: 480 },
      ],
      [
        { width: 640, height: 480 },
        { width: 480, height: 640 },
      ],
    ]);
    expect(publication.updates).toEqual([{ videoDimensions: { width: 480, height: 640 } }]);
    expect([publisher.videoWidth(), publisher.videoHeight()]).toEqual([480, 640]);
  });

  it('are bounded at once where they are sent, and from then on', async () => {
    const publisher = await OT.initPublisher.promise(undefined, { maxVideoBitrate: 900_000 });
    await publisher.setVideoBitratePreset('bw_saver');
    expect([publisher.getVideoBitratePreset(), publisher.getMaxVideoBitrate()]).toEqual([
      'bw_saver',
      430_080,
    ]);
    const publication = new Publication(publisher, undefined, publisher.getVideoSource().track);
    await publisher.setMaxVideoBitrate(200_000);
    await publisher.setPreferredFrameRate(7);
    await publisher.setPreferredResolution({ width: 320, height: 240 });
    expect(publication.encodings).toEqual([
      { maxBitrate: 430_080 },
      { maxBitrate: 200_000 },
      { maxBitrate: 200_000, maxFramerate: 7 },
      { maxBitrate: 200_000, maxFramerate: 7, scaleResolutionDownBy: 2 },
    ]);
    await expect(publisher.setMaxVideoBitrate(-1)).rejects.toMatchObject({ code: 1011 });
  });

  it('are bounded anew when the camera is turned', async () => {
    const { publisher, publication } = await published();
    await publisher.setPreferredResolution({ width: 320, height: 240 });
    page.element('video').resize(480, 640);
    expect(publication.encodings.at(-1)?.scaleResolutionDownBy).toBeCloseTo(640 / 240);
  });

  it('are given out as PNG', async () => {
    const { publisher } = await published();
    expect(publisher.getImgData()).toBeNull();
    page.element('video').resize(640, 480);
    expect(atob(publisher.getImgData() ?? '')).toBe('picture');
    expect(page.element('canvas').drawn).toBe(page.element('video'));
  });

  it('are hidden, so that the background shows, while they are not published', async () => {
    const { publisher, publication } = await published();
    publisher.publishVideo(false);
    expect(page.element('video').style.visibility).toBe('hidden');
    await publisher.publishAudio.promise(false);
    expect(publication.updates).toEqual([{ hasVideo: false }, { hasAudio: false }]);
    publisher.publishVideo(true);
    expect(page.element('video').style.visibility).toBe('visible');
  });
});

it('a publisher that is not published has no statistics', async () => {
  const publisher = await OT.initPublisher.promise();
  const error = await new Promise((resolve) => publisher.getStats(resolve));
  expect(error).toMatchObject({ code: 1010 });
});
