import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePage, FakeTrack } from '../testing/fakePage.js';
import { audioConstraints, screenConstraints, videoConstraints } from './constraints.js';
import { mediaError } from './mediaError.js';
import type { PublisherProperties } from './properties.js';
import { acquireMedia, getUserMedia } from './sources.js';

let page: FakePage;
beforeEach(() => {
  page = new FakePage().install();
});
afterEach(() => vi.unstubAllGlobals());

describe('sources', () => {
  it('become constraints', () => {
    expect(videoConstraints({ resolution: '1280x720', frameRate: 15, videoSource: 'id' })).toEqual({
      deviceId: { exact: 'id' },
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 15 },
    });
    expect(videoConstraints({ videoSource: false })).toBe(false);
    expect(audioConstraints({ audioSource: null })).toBe(false);
    expect(audioConstraints({ audioSource: true, echoCancellation: false })).toEqual({
      echoCancellation: false,
    });
  });

  it('keep to the largest resolution, of camera and screen', () => {
    const maxResolution = { width: 1280, height: 720 };
    expect(videoConstraints({ resolution: '1920x1080', maxResolution })).toMatchObject({
      width: { ideal: 1920, max: 1280 },
      height: { ideal: 1080, max: 720 },
    });
    expect(screenConstraints({ maxResolution, frameRate: 7 })).toEqual({
      width: { max: 1280 },
      height: { max: 720 },
      frameRate: { ideal: 7 },
    });
    expect(screenConstraints({})).toEqual({});
  });

  it('leave sound as it is when asked to, and ask for two channels for stereo', () => {
    const properties = { disableAudioProcessing: true, echoCancellation: true, enableStereo: true };
    expect(audioConstraints(properties)).toEqual({
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: false,
      channelCount: { ideal: 2 },
    });
  });

  it('are opened by the page’s own constraints where it gives them', () => {
    const constraints = { audio: { sampleRate: 48_000 }, video: true };
    expect(audioConstraints({ constraints, audioSource: 'id' })).toBe(constraints.audio);
    expect(videoConstraints({ constraints, facingMode: 'user' })).toBe(true);
    expect(videoConstraints({ constraints, videoSource: null })).toBe(false);
  });

  it.each<[string, PublisherProperties]>([
    ['no source', { audioSource: false, videoSource: null }],
    ['an unknown resolution', { resolution: '1x1' as '320x180' }],
    ['an unknown frame rate', { frameRate: 29 as 30 }],
    ['an empty largest resolution', { maxResolution: { width: 0, height: 720 } }],
    ['a bitrate that Opus does not have', { audioBitrate: 5_999 }],
  ])('are refused with %s, before anything is opened', async (_name, properties) => {
    await expect(acquireMedia(properties)).rejects.toMatchObject({ name: 'OT_INVALID_PARAMETER' });
    expect(page.asked).toEqual([]);
  });

  it('give the video track the hint for its encoder, and leave one without a hint as it is', async () => {
    const [hinted, left] = [new FakeTrack('video'), new FakeTrack('video')];
    left.contentHint = 'motion';
    await acquireMedia({ audioSource: false, videoSource: hinted.given, videoContentHint: 'detail' });
    await acquireMedia({ audioSource: false, videoSource: left.given });
    expect([hinted.contentHint, left.contentHint]).toEqual(['detail', 'motion']);
  });

  it('ask for the screen first, and give it back when there is no microphone', async () => {
    page.refuses.devices = 'NotFoundError';
    await expect(acquireMedia({ videoSource: 'screen' })).rejects.toMatchObject({
      name: 'OT_NO_DEVICES_FOUND',
    });
    expect(page.asked).toEqual(['screen', { audio: {}, video: false }]);
    expect(page.opened.map(({ stopped }) => stopped)).toEqual([true]);
  });

  it('of a screen that the user does not share are refused', async () => {
    page.refuses.screen = 'NotAllowedError';
    const shared = acquireMedia({ videoSource: 'screen', audioSource: false });
    await expect(shared).rejects.toMatchObject({ name: 'OT_USER_MEDIA_ACCESS_DENIED', code: 1500 });
    vi.stubGlobal('navigator', {});
    await expect(acquireMedia({ videoSource: 'screen' })).rejects.toMatchObject({ name: 'OT_NOT_SUPPORTED' });
  });

  it('are opened without a publisher too', async () => {
    const stream = await getUserMedia({ videoSource: false });
    expect(stream.getTracks().map(({ kind }) => kind)).toEqual(['audio']);
    expect(page.asked).toEqual([{ audio: {}, video: false }]);
  });

  it.each([
    ['NotAllowedError', 'OT_USER_MEDIA_ACCESS_DENIED'],
    ['NotFoundError', 'OT_NO_DEVICES_FOUND'],
    ['NotReadableError', 'OT_HARDWARE_UNAVAILABLE'],
    ['OverconstrainedError', 'OT_CONSTRAINTS_NOT_SATISFIED'],
  ])('that fail with %s name it', (name, expected) => {
    expect(mediaError(new DOMException('no', name)).name).toBe(expected);
  });
});
