import { beforeEach, describe, expect, it } from 'vitest';
import { encodeVideo, replaceTrack } from './publication.js';
import type { Sent } from './publication.js';

let parameters: { encodings: RTCRtpEncodingParameters[] };
let refuses: boolean;
let sending: unknown;
let sent: Sent;

beforeEach(() => {
  parameters = { encodings: [{ maxBitrate: 1_000_000 }] };
  refuses = false;
  sending = undefined;
  const sender = {
    replaceTrack: (track: unknown) => {
      if (refuses) return Promise.reject(new DOMException('', 'InvalidModificationError'));
      sending = track;
      return Promise.resolve();
    },
    getParameters: () => structuredClone(parameters),
    setParameters: (wanted: typeof parameters) => {
      if (refuses) return Promise.reject(new RangeError('not so'));
      parameters = wanted;
      return Promise.resolve();
    },
  };
  const video = { sender } as unknown as RTCRtpTransceiver;
  sent = {
    tracks: {
      stream: {} as MediaStream,
      video: { track: {} as MediaStreamTrack, encoding: { maxBitrate: 1_000_000 }, codecs: [] },
    },
    media: { streamId: 'a', video, refusals: [] },
  };
});

it('a cap of the video holds for the sender and for the one of the next peer connection', async () => {
  await encodeVideo(sent, { maxBitrate: 300_000 });
  expect(parameters.encodings).toEqual([{ maxBitrate: 300_000 }]);
  expect(sent.tracks.video).toMatchObject({ encoding: { maxBitrate: 300_000 }, codecs: [] });
});

it('a cap that the browser refuses is not kept', async () => {
  refuses = true;
  await expect(encodeVideo(sent, { maxBitrate: -1 })).rejects.toThrow(RangeError);
  expect(sent.tracks.video?.encoding.maxBitrate).toBe(1_000_000);
});

it('there is nothing to cap without video', async () => {
  delete sent.media.video;
  await expect(encodeVideo(sent, { maxBitrate: 300_000 })).rejects.toMatchObject({
    name: 'OT_NOT_CONNECTED',
  });
});

it('frame rate and size are capped with the bitrate, and lifted when they are wanted no more', async () => {
  await encodeVideo(sent, { maxFramerate: 7, scaleResolutionDownBy: 2 });
  expect(parameters.encodings).toEqual([{ maxFramerate: 7, scaleResolutionDownBy: 2 }]);
  await encodeVideo(sent, {});
  expect(parameters.encodings).toEqual([{}]);
});

describe('another track', () => {
  const track = { kind: 'video' } as MediaStreamTrack;

  it('is sent at once, and over the next peer connection', async () => {
    await replaceTrack(sent, 'video', track);
    expect(sending).toBe(track);
    expect(sent.tracks.video).toMatchObject({ track, encoding: { maxBitrate: 1_000_000 } });
  });

  it('that the browser refuses is not kept', async () => {
    refuses = true;
    await expect(replaceTrack(sent, 'video', track)).rejects.toThrow(DOMException);
    expect(sent.tracks.video?.track).not.toBe(track);
  });

  it('of a kind that was not published is refused', async () => {
    await expect(replaceTrack(sent, 'audio', track)).rejects.toMatchObject({ name: 'OT_INVALID_PARAMETER' });
  });
});
