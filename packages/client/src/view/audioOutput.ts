import { otError } from '../errors.js';
import { mediaError } from '../media/mediaError.js';

/** Headphones or loudspeakers (shape of OpenTok.js). */
export interface AudioOutputDevice {
  deviceId: string;
  label: string;
}

/** Elements that play others' sound. */
const playing = new Set<HTMLMediaElement>();
/** What the page chose; undefined leaves it to the browser. */
let chosen: string | undefined;

/** Lists headphones and loudspeakers; empty where the browser does not tell. */
export async function getAudioOutputDevices(): Promise<AudioOutputDevice[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter(({ kind }) => kind === 'audiooutput')
    .map(({ deviceId, label }) => ({ deviceId, label }));
}

/** Where the sound of all subscribers goes; undefined where the browser does not tell. */
export async function getActiveAudioOutputDevice(): Promise<AudioOutputDevice | undefined> {
  const devices = await getAudioOutputDevices();
  return devices.find(({ deviceId }) => deviceId === (chosen ?? 'default')) ?? devices[0];
}

/**
 * Sends the sound of all subscribers, those to come too, to one device. Fails with OT_NOT_SUPPORTED where the browser has no
 * choice, OT_NO_DEVICES_FOUND for an unknown device, OT_USER_MEDIA_ACCESS_DENIED when the page may not use it.
 */
export async function setAudioOutputDevice(deviceId: string): Promise<void> {
  // Proves the device also while nothing plays, and before what plays is touched.
  const probe = document.createElement('audio');
  if (typeof probe.setSinkId !== 'function')
    throw otError('OT_NOT_SUPPORTED', 'This browser has no choice of outputs.');
  try {
    for (const element of [probe, ...playing]) await element.setSinkId(deviceId);
  } catch (error) {
    throw mediaError(error);
  }
  chosen = deviceId;
}

/** An element that plays others' sound follows the choice until `leave` is called. */
export function followAudioOutput(element: HTMLMediaElement): { leave(): void } {
  playing.add(element);
  // A device that has gone meanwhile leaves the element at the browser's default.
  if (chosen !== undefined) void element.setSinkId(chosen).catch(() => undefined);
  return { leave: () => void playing.delete(element) };
}
