import type { PublicationTracks, StreamMedia } from '../connection/mediaConnection.js';
import { videoCodecPreferences } from '../media/codecs.js';
import type { LocalMedia } from '../media/sources.js';
import type { Publisher } from '../publisher/publisher.js';
import type { RequestBody } from '../signalling/requests.js';

/** One publisher's stay in a session. */
export interface Publication {
  streamId: string | undefined;
  /** Set when it was ended while it was still being set up. */
  ended: boolean;
  /** Set once it is published. */
  sent?: { tracks: PublicationTracks; media: StreamMedia };
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
