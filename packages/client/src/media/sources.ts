import { otError } from '../errors.js';
import {
  audioConstraints,
  checkProperties,
  isOff,
  isTrack,
  screenConstraints,
  videoConstraints,
} from './constraints.js';
import { mediaError } from './mediaError.js';
import type { PublisherProperties } from './properties.js';

/** Where a publisher's pictures come from. */
export type VideoType = 'camera' | 'screen' | 'custom' | undefined;

/** Local tracks of a publisher. */
export interface LocalMedia {
  readonly stream: MediaStream;
  audio: MediaStreamTrack | undefined;
  video: MediaStreamTrack | undefined;
  videoType: VideoType;
  /** Tracks that we opened and must stop; those of the page stay the page's. */
  owned: MediaStreamTrack[];
}

/** Opens devices of these constraints. Fails with the OTError of what went wrong. */
export async function openDevices(constraints: MediaStreamConstraints): Promise<MediaStreamTrack[]> {
  if (navigator.mediaDevices === undefined) {
    throw otError('OT_USER_MEDIA_ACCESS_DENIED', 'Camera and microphone need a page served over HTTPS.');
  }
  try {
    return (await navigator.mediaDevices.getUserMedia(constraints)).getTracks();
  } catch (error) {
    throw mediaError(error);
  }
}

async function openScreen(properties: PublisherProperties): Promise<MediaStreamTrack[]> {
  if (typeof navigator.mediaDevices?.getDisplayMedia !== 'function') {
    throw otError('OT_NOT_SUPPORTED', 'This browser, or a page without HTTPS, shares no screen.');
  }
  try {
    const video = screenConstraints(properties);
    return (await navigator.mediaDevices.getDisplayMedia({ video })).getVideoTracks();
  } catch (error) {
    throw mediaError(error);
  }
}

/** The screen first: browsers ask for it only shortly after a click. */
async function capture(properties: PublisherProperties): Promise<MediaStreamTrack[]> {
  const screen = properties.videoSource === 'screen' ? await openScreen(properties) : [];
  const audio = audioConstraints(properties);
  const video = videoConstraints(properties);
  if (audio === false && video === false) return screen;
  try {
    return [...screen, ...(await openDevices({ audio, video }))];
  } catch (error) {
    for (const track of screen) track.stop();
    throw error;
  }
}

function videoTypeOf({ videoSource }: PublisherProperties): VideoType {
  if (isOff(videoSource)) return undefined;
  if (isTrack(videoSource)) return 'custom';
  return videoSource === 'screen' ? 'screen' : 'camera';
}

/** Opens what the properties ask for. Fails with the OTError of what went wrong. */
export async function acquireMedia(properties: PublisherProperties): Promise<LocalMedia> {
  const { audioSource, videoSource, videoContentHint } = properties;
  const { publishAudio = true, publishVideo = true } = properties;
  checkProperties(properties);
  const owned = await capture(properties);
  const audio = isTrack(audioSource) ? audioSource : owned.find(({ kind }) => kind === 'audio');
  const video = isTrack(videoSource) ? videoSource : owned.find(({ kind }) => kind === 'video');
  if (audio !== undefined) audio.enabled = publishAudio;
  if (video !== undefined) {
    video.enabled = publishVideo;
    if (videoContentHint !== undefined) video.contentHint = videoContentHint;
  }
  const tracks = [audio, video].filter((track) => track !== undefined);
  return { stream: new MediaStream(tracks), audio, video, videoType: videoTypeOf(properties), owned };
}

/**
 * Opens camera, microphone or screen by the options of a publisher, without making one; the page stops the tracks.
 * Fails as `OT.initPublisher` does.
 */
export async function getUserMedia(properties: PublisherProperties = {}): Promise<MediaStream> {
  return (await acquireMedia(properties)).stream;
}
