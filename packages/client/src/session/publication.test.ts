import { beforeEach, expect, it } from 'vitest';
import { capVideo } from './publication.js';
import type { Sent } from './publication.js';

let parameters: { encodings: RTCRtpEncodingParameters[] };
let refuses: boolean;
let sent: Sent;

beforeEach(() => {
  parameters = { encodings: [{ maxBitrate: 1_000_000 }] };
  refuses = false;
  const sender = {
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
      video: { track: {} as MediaStreamTrack, maxBitrateBps: 1_000_000, codecs: [] },
    },
    media: { streamId: 'a', video, refusals: [] },
  };
});

it('a cap of the video holds for the sender and for the one of the next peer connection', async () => {
  await capVideo(sent, 300_000);
  expect(parameters.encodings).toEqual([{ maxBitrate: 300_000 }]);
  expect(sent.tracks.video).toMatchObject({ maxBitrateBps: 300_000, codecs: [] });
});

it('a cap that the browser refuses is not kept', async () => {
  refuses = true;
  await expect(capVideo(sent, -1)).rejects.toThrow(RangeError);
  expect(sent.tracks.video?.maxBitrateBps).toBe(1_000_000);
});

it('there is nothing to cap without video', async () => {
  delete sent.media.video;
  await expect(capVideo(sent, 300_000)).rejects.toMatchObject({ name: 'OT_NOT_CONNECTED' });
});
