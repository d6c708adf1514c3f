import { problemOfCamera, type Problem } from '../problems.js';
import type { MediaSource } from './source.js';

/** A camera, or why there is none. */
export type CameraAnswer =
  { readonly ok: true; readonly source: MediaSource } | { readonly ok: false; readonly problem: Problem };

const VIDEO: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 30 },
  facingMode: 'user',
};

/** Asks for camera and microphone; a camera alone will do. */
export async function openCamera(): Promise<CameraAnswer> {
  // Browsers hide the devices from pages that came over plain HTTP, localhost excepted.
  if (!window.isSecureContext || !('mediaDevices' in navigator)) return refused('InsecureContext');
  const both = await capture({ video: VIDEO, audio: true });
  const stream = both === 'NotFoundError' ? await capture({ video: VIDEO }) : both;
  return typeof stream === 'string' ? refused(stream) : { ok: true, source: sourceOf(stream) };
}

async function capture(constraints: MediaStreamConstraints): Promise<MediaStream | string> {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    return error instanceof DOMException ? error.name : 'NotFoundError';
  }
}

function sourceOf(stream: MediaStream): MediaSource {
  return {
    kind: 'camera',
    video: stream.getVideoTracks()[0] ?? false,
    audio: stream.getAudioTracks()[0] ?? false,
    stop: () => {
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

function refused(errorName: string): CameraAnswer {
  return { ok: false, problem: problemOfCamera(errorName) };
}
