import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamMedia } from '../connection/mediaConnection.js';
import { FrameTimeline } from '../gap/frameTimeline.js';
import { OT } from '../ot.js';
import type { Stream } from '../session/stream.js';
import { FakePage, FakeTrack } from '../testing/fakePage.js';
import type { FakeMediaStream } from '../testing/fakePage.js';
import { settle } from '../testing/fakePlatform.js';
import { Subscriber } from './subscriber.js';
import type { SubscriberProperties } from './subscriber.js';

let page: FakePage;
let told: unknown[];
let stream: Stream;
beforeEach(() => {
  page = new FakePage().install();
  told = [];
  stream = { streamId: '1', name: 'Bob', hasAudio: true, hasVideo: true } as Stream;
});
afterEach(() => vi.unstubAllGlobals());

function subscriberOf(properties: SubscriberProperties = {}): Subscriber {
  const handle = {
    timeline: new FrameTimeline(),
    update: (wanted: object) => told.push(wanted),
    getStats: () => Promise.resolve(new Map() as unknown as RTCStatsReport),
  };
  return new Subscriber(handle, stream, undefined, properties);
}

const tracks = { audio: new FakeTrack('audio'), video: new FakeTrack('video') };
const media = (): StreamMedia => {
  const transceiver = (track: FakeTrack) =>
    ({ receiver: { track, getSynchronizationSources: () => [] } }) as unknown as RTCRtpTransceiver;
  return { streamId: '1', refusals: [], audio: transceiver(tracks.audio), video: transceiver(tracks.video) };
};

describe('a subscriber', () => {
  it('gives out its stream once media is set up', () => {
    const subscriber = subscriberOf();
    let given: unknown;
    subscriber.on('mediaStreamAvailable', ({ mediaStream }) => (given = mediaStream));
    subscriber.attach(media());
    expect((given as FakeMediaStream).getTracks()).toEqual([tracks.audio, tracks.video]);
    expect(page.element('video').srcObject).toBe(given);
    subscriber.destroy('clientDisconnected');
  });

  it('receives what is wanted, by callback and by promise', async () => {
    const subscriber = subscriberOf({ subscribeToVideo: false });
    const reasons: string[] = [];
    subscriber.on('videoEnabled', ({ reason }) => reasons.push(`enabled ${reason}`));
    subscriber.on('videoDisabled', ({ reason }) => reasons.push(`disabled ${reason}`));
    await subscriber.subscribeToVideo.promise(true);
    expect(subscriber.subscribeToVideo(false)).toBe(subscriber);
    const done = vi.fn();
    subscriber.subscribeToAudio(false, done);
    await settle();
    expect(told).toEqual([{ video: true }, { video: false }, { audio: false }]);
    expect(reasons).toEqual(['enabled subscribeToVideo', 'disabled subscribeToVideo']);
    expect(done).toHaveBeenCalledWith(undefined, undefined);
    subscriber.destroy('clientDisconnected');
  });

  it('shows what is behind the pictures while there are none', () => {
    const subscriber = subscriberOf();
    stream.hasVideo = false;
    subscriber.hasVideoChanged(false);
    expect(page.element('video').style.visibility).toBe('hidden');
    stream.hasVideo = true;
    subscriber.hasVideoChanged(true);
    expect(page.element('video').style.visibility).toBe('visible');
    subscriber.destroy('clientDisconnected');
  });

  it('has a volume from 0 to 100', async () => {
    const subscriber = subscriberOf({ audioVolume: 40 });
    expect(page.element('video').volume).toBe(0.4);
    await subscriber.setAudioVolume.promise(150);
    expect([subscriber.getAudioVolume(), page.element('video').volume]).toEqual([100, 1]);
    await expect(subscriber.setAudioVolume.promise(Number.NaN)).rejects.toMatchObject({ code: 1011 });
    const error = await new Promise((resolve) => subscriber.setAudioVolume(Number.NaN, resolve));
    expect(error).toMatchObject({ name: 'OT_INVALID_PARAMETER' });
    expect(subscriber.getAudioVolume()).toBe(100);
    subscriber.destroy('clientDisconnected');
  });

  it('whose sound is held back says so, and plays it once it may', async () => {
    page.prepare = (element) => (element.refusesPlay = 'NotAllowedError');
    const subscriber = subscriberOf();
    const heard: string[] = [];
    subscriber.on('audioBlocked', () => heard.push('blocked'));
    subscriber.on('audioUnblocked', () => heard.push('unblocked'));
    subscriber.attach(media());
    await settle();
    const video = page.element('video');
    expect([subscriber.isAudioBlocked(), video.muted]).toEqual([true, true]);
    await OT.unblockAudio();
    expect(subscriber.isAudioBlocked()).toBe(true);
    video.refusesPlay = undefined;
    await OT.unblockAudio();
    expect([subscriber.isAudioBlocked(), video.muted, heard]).toEqual([
      false,
      false,
      ['blocked', 'unblocked'],
    ]);
    subscriber.destroy('clientDisconnected');
  });

  it('gives its picture out as PNG, tells its size, and shows its name by style', () => {
    const subscriber = subscriberOf({ style: { nameDisplayMode: 'on' } });
    const sizes: unknown[] = [];
    subscriber.on('videoDimensionsChanged', ({ newValue }) => sizes.push(newValue));
    expect([subscriber.getImgData(), subscriber.videoWidth()]).toEqual([null, undefined]);
    page.element('video').resize(320, 180);
    expect(atob(subscriber.getImgData() ?? '')).toBe('picture');
    expect(sizes).toEqual([{ width: 320, height: 180 }]);
    expect(page.element('div')).toMatchObject({ textContent: 'Bob', style: { display: 'block' } });
    expect(subscriber.setStyle('nameDisplayMode', 'off').getStyle().nameDisplayMode).toBe('off');
    subscriber.destroy('clientDisconnected');
  });

  it('without media has no statistics', async () => {
    const subscriber = subscriberOf();
    const error = await new Promise((resolve) => subscriber.getStats(resolve));
    expect(error).toMatchObject({ code: 1010 });
    subscriber.destroy('clientDisconnected');
  });
});
