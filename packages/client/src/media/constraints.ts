import { otError } from '../errors.js';
import type { PublisherProperties } from './properties.js';

type Source = PublisherProperties['videoSource'];

export const isTrack = (source: Source): source is MediaStreamTrack =>
  typeof source === 'object' && source !== null;
export const isOff = (source: Source): boolean => source === false || source === null;

const RESOLUTIONS: ReadonlySet<string> = new Set([
  '320x180',
  '320x240',
  '640x360',
  '640x480',
  '1280x720',
  '1280x960',
  '1920x1080',
]);
const FRAME_RATES: ReadonlySet<number> = new Set([30, 15, 7, 1]);

/** Opus sends from 6 to 510 kbit/s (RFC 7587 7.1). */
const AUDIO_BITRATE_BPS_MIN = 6_000;
const AUDIO_BITRATE_BPS_MAX = 510_000;

/** The first thing that is wrong with the properties. @throws OTError OT_INVALID_PARAMETER */
export function checkProperties(properties: PublisherProperties): void {
  const { audioSource, videoSource, resolution, frameRate, audioBitrate, maxResolution } = properties;
  const refuse = (what: string): never => {
    throw otError('OT_INVALID_PARAMETER', what);
  };
  if (isOff(audioSource) && isOff(videoSource)) {
    refuse('A publisher needs an audio source, a video source or both.');
  }
  if (resolution !== undefined && !RESOLUTIONS.has(resolution)) {
    refuse(`A resolution is one of ${[...RESOLUTIONS].join(', ')}.`);
  }
  if (frameRate !== undefined && !FRAME_RATES.has(frameRate)) refuse('A frame rate is 30, 15, 7 or 1.');
  if (maxResolution !== undefined && !(maxResolution.width > 0 && maxResolution.height > 0)) {
    refuse('A largest resolution has a width and a height.');
  }
  const isBitrate = (bps: number): boolean => bps >= AUDIO_BITRATE_BPS_MIN && bps <= AUDIO_BITRATE_BPS_MAX;
  if (audioBitrate !== undefined && !isBitrate(audioBitrate)) {
    refuse(`An audio bitrate has ${AUDIO_BITRATE_BPS_MIN} to ${AUDIO_BITRATE_BPS_MAX} bits per second.`);
  }
}

/** Constraints for the microphone; false when none is to be opened. */
export function audioConstraints(properties: PublisherProperties): MediaTrackConstraints | boolean {
  const { audioSource, constraints, disableAudioProcessing: raw, enableStereo } = properties;
  if (isOff(audioSource) || isTrack(audioSource)) return false;
  if (constraints?.audio !== undefined) return constraints.audio;
  const processing = (wanted: boolean | undefined): boolean | undefined => (raw === true ? false : wanted);
  const echoCancellation = processing(properties.echoCancellation);
  const noiseSuppression = processing(properties.noiseSuppression);
  const autoGainControl = processing(properties.autoGainControl);
  return {
    ...(typeof audioSource === 'string' && { deviceId: { exact: audioSource } }),
    ...(echoCancellation !== undefined && { echoCancellation }),
    ...(noiseSuppression !== undefined && { noiseSuppression }),
    ...(autoGainControl !== undefined && { autoGainControl }),
    ...(enableStereo === true && { channelCount: { ideal: 2 } }),
  };
}

/** Constraints for the camera; false when none is to be opened. */
export function videoConstraints(properties: PublisherProperties): MediaTrackConstraints | boolean {
  const {
    videoSource,
    resolution = '640x480',
    frameRate = 30,
    facingMode,
    maxResolution,
    constraints,
  } = properties;
  if (isOff(videoSource) || isTrack(videoSource) || videoSource === 'screen') return false;
  if (constraints?.video !== undefined) return constraints.video;
  const [width, height] = resolution.split('x').map(Number);
  return {
    ...(typeof videoSource === 'string' && { deviceId: { exact: videoSource } }),
    width: { ideal: width, ...(maxResolution && { max: maxResolution.width }) },
    height: { ideal: height, ...(maxResolution && { max: maxResolution.height }) },
    ...(facingMode !== undefined && { facingMode }),
    frameRate: { ideal: frameRate },
  };
}

/** Constraints for a shared screen: as large as it is, but for `maxResolution`. */
export function screenConstraints(properties: PublisherProperties): MediaTrackConstraints {
  const { frameRate, maxResolution } = properties;
  return {
    ...(maxResolution && { width: { max: maxResolution.width }, height: { max: maxResolution.height } }),
    ...(frameRate !== undefined && { frameRate: { ideal: frameRate } }),
  };
}
