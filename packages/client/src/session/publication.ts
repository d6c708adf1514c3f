import type { PublicationTracks, StreamMedia } from '../connection/mediaConnection.js';
import { setMaxBitrate } from '../connection/transceivers.js';
import { otError } from '../errors.js';
import { videoCodecPreferences } from '../media/codecs.js';
import type { LocalMedia } from '../media/sources.js';
import type { Publisher } from '../publisher/publisher.js';
import type { RequestBody } from '../signalling/requests.js';

/** What is published, and by what it is sent now. */
export interface Sent {
  tracks: PublicationTracks;
  media: StreamMedia;
}

/** One publisher's stay in a session. */
export interface Publication {
  streamId: string | undefined;
  /** Set when it was ended while it was still being set up. */
  ended: boolean;
  /** Set once it is published. */
  sent?: Sent;
}

/** What a publisher sends, as its properties want it. */
export function tracksOf(publisher: Publisher, { stream, audio, video }: LocalMedia): PublicationTracks {
  const { enableDtx = false, audioBitrate, maxVideoBitrate, preferredVideoCodecs } = publisher.properties;
  const codecs = videoCodecPreferences(preferredVideoCodecs);
  return {
    stream,
    ...(audio && { audio: { track: audio, dtx: enableDtx, maxBitrateBps: audioBitrate } }),
    ...(video && { video: { track: video, maxBitrateBps: maxVideoBitrate, codecs } }),
  };
}

/** Caps the video's bits per second, now and over whatever peer connection comes next. */
export async function capVideo(sent: Sent, maxBitrateBps: number): Promise<void> {
  const sender = sent.media.video?.sender;
  if (sender === undefined) throw otError('OT_NOT_CONNECTED', 'The publisher sends no video.');
  await setMaxBitrate(sender, maxBitrateBps);
  const { video } = sent.tracks;
  if (video !== undefined) sent.tracks = { ...sent.tracks, video: { ...video, maxBitrateBps } };
}

/** What others are told of the stream. */
export function streamProperties(
  publisher: Publisher,
  { audio, video, videoType }: LocalMedia,
): RequestBody<'createStream'> {
  const { name = '', initials, frameRate } = publisher.properties;
  const { width = 0, height = 0 } = video?.getSettings() ?? {};
  return {
    name,
    ...(initials !== undefined && { initials }),
    ...(frameRate !== undefined && { frameRate }),
    hasAudio: audio?.enabled ?? false,
    hasVideo: video?.enabled ?? false,
    videoDimensions: { width: Math.round(width), height: Math.round(height) },
    ...(videoType !== undefined && { videoType }),
  };
}
