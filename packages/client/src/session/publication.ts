import type { MediaKind } from '@godwit/protocol';
import type { PublicationTracks, StreamMedia } from '../connection/mediaConnection.js';
import { setEncoding } from '../connection/transceivers.js';
import type { Encoding } from '../connection/transceivers.js';
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
  const {
    enableDtx: dtx = false,
    enableStereo: stereo = false,
    audioBitrate,
    preferredVideoCodecs,
  } = publisher.properties;
  const codecs = videoCodecPreferences(preferredVideoCodecs);
  return {
    stream,
    ...(audio && { audio: { track: audio, opus: { dtx, stereo }, encoding: { maxBitrate: audioBitrate } } }),
    ...(video && { video: { track: video, encoding: publisher.videoEncoding(), codecs } }),
  };
}

/** Encodes the video so, now and over whatever peer connection comes next. */
export async function encodeVideo(sent: Sent, encoding: Encoding): Promise<void> {
  const sender = sent.media.video?.sender;
  if (sender === undefined) throw otError('OT_NOT_CONNECTED', 'The publisher sends no video.');
  await setEncoding(sender, encoding);
  const { video } = sent.tracks;
  if (video !== undefined) sent.tracks = { ...sent.tracks, video: { ...video, encoding } };
}

/** Sends another track of that kind, now and over whatever peer connection comes next; nothing is renegotiated. */
export async function replaceTrack(sent: Sent, kind: MediaKind, track: MediaStreamTrack): Promise<void> {
  const { audio, video } = sent.tracks;
  const sender = sent.media[kind]?.sender;
  if (sender === undefined)
    throw otError('OT_INVALID_PARAMETER', `The publisher was published without ${kind}.`);
  await sender.replaceTrack(track);
  if (kind === 'audio' && audio !== undefined) sent.tracks = { ...sent.tracks, audio: { ...audio, track } };
  if (kind === 'video' && video !== undefined) sent.tracks = { ...sent.tracks, video: { ...video, track } };
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
