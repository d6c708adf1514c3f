import type { Completion } from '../events/completion.js';
import { complete } from '../events/completion.js';

/** A camera or microphone (shape of OpenTok.js). */
export interface Device {
  kind: 'audioInput' | 'videoInput';
  deviceId: string;
  label: string;
}

/** Cameras and microphones, in the browser's order; none in a page without HTTPS. */
export async function listDevices(): Promise<Device[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.flatMap(({ kind, deviceId, label }): Device[] => {
    if (kind === 'audioinput') return [{ kind: 'audioInput', deviceId, label }];
    if (kind === 'videoinput') return [{ kind: 'videoInput', deviceId, label }];
    return [];
  });
}

/** Lists cameras and microphones; labels are empty until the page was given access to one. */
export function getDevices(completion: Completion<Device[]>): void {
  complete(listDevices(), completion, 'OT_INTERNAL_ERROR');
}
