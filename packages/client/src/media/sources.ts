import { otError } from '../errors.js';
import type { OTError } from '../errors.js';
import type { PublisherProperties } from './properties.js';

/** Local tracks of a publisher. */
export interface LocalMedia {
  stream: MediaStream;
  audio: MediaStreamTrack | undefined;
  video: MediaStreamTrack | undefined;
  videoType: 'camera' | 'screen' | 'custom' | undefined;
  /** Tracks that we opened and must stop; those of the page stay the page's. */
  owned: MediaStreamTrack[];
}

type Source = PublisherProperties['videoSource'];

const isTrack = (source: Source): source is MediaStreamTrack => typeof source === 'object' && source !== null;
const isOff = (source: Source): boolean => source === false || source === null;

/** Constraints for the microphone; false when none is to be opened. */
export function audioConstraints(properties: PublisherProperties): MediaTrackConstraints | false {
  const { audioSource, echoCancellation, noiseSuppression, autoGainControl } = properties;
  if (isOff(audioSource) || isTrack(audioSource)) return false;
  return {
    ...(typeof audioSource === 'string' && { deviceId: { exact: audioSource } }),
    ...(echoCancellation !== undefined && { echoCancellation }),
    ...(noiseSuppression !== undefined && { noiseSuppression }),
    ...(autoGainControl !== undefined && { autoGainControl }),
  };
}

/** Constraints for the camera; false when none is to be opened. */
export function videoConstraints(properties: PublisherProperties): MediaTrackConstraints | false {
  const { videoSource, resolution = '640x480', frameRate = 30, facingMode } = properties;
  if (isOff(videoSource) || isTrack(videoSource) || videoSource === 'screen') return false;
  const [width, height] = resolution.split('x').map(Number);
  return {
    ...(typeof videoSource === 'string' && { deviceId: { exact: videoSource } }),
    ...(width !== undefined &&
      height !== undefined && { width: { ideal: width }, height: { ideal: height } }),
    ...(facingMode !== undefined && { facingMode }),
    frameRate: { ideal: frameRate },
  };
}

/** Turns a failure of getUserMedia or getDisplayMedia into ours. */
export function mediaError(error: unknown): OTError {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  const detail = error instanceof Error ? error.message : undefined;
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return otError('OT_USER_MEDIA_ACCESS_DENIED');
    case 'NotFoundError':
      return otError('OT_NO_DEVICES_FOUND');
    case 'NotReadableError':
    case 'AbortError':
      return otError('OT_HARDWARE_UNAVAILABLE');
    case 'OverconstrainedError':
      return otError('OT_CONSTRAINTS_NOT_SATISFIED');
    default:
      return otError('OT_INVALID_PARAMETER', detail);
  }
}

async function capture(properties: PublisherProperties): Promise<MediaStreamTrack[]> {
  const audio = audioConstraints(properties);
  const video = videoConstraints(properties);
  const tracks: MediaStreamTrack[] = [];
  if (audio !== false || video !== false) {
    if (navigator.mediaDevices === undefined) {
      throw otError('OT_USER_MEDIA_ACCESS_DENIED', 'Camera and microphone need a page served over HTTPS.');
    }
    tracks.push(...(await navigator.mediaDevices.getUserMedia({ audio, video })).getTracks());
  }
  if (properties.videoSource === 'screen') {
    tracks.push(...(await navigator.mediaDevices.getDisplayMedia({ video: true })).getVideoTracks());
  }
  return tracks;
}

function videoTypeOf({ videoSource }: PublisherProperties): LocalMedia['videoType'] {
  if (isOff(videoSource)) return undefined;
  if (isTrack(videoSource)) return 'custom';
  return videoSource === 'screen' ? 'screen' : 'camera';
}

/** Opens what the properties ask for. Fails with the OTError of what went wrong. */
export async function acquireMedia(properties: PublisherProperties): Promise<LocalMedia> {
  const { audioSource, videoSource, videoContentHint } = properties;
  const { publishAudio = true, publishVideo = true } = properties;
  if (isOff(audioSource) && isOff(videoSource)) {
    throw otError('OT_INVALID_PARAMETER', 'A publisher needs an audio source, a video source or both.');
  }
  let owned: MediaStreamTrack[];
  try {
    owned = await capture(properties);
  } catch (error) {
    throw error instanceof Error && error.name.startsWith('OT_') ? error : mediaError(error);
  }
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
