import { isOff, isTrack } from './constraints.js';
import type { PublisherProperties } from './properties.js';

/** Whether opening these sources makes the browser ask the user. False where the browser does not tell. */
export async function willAsk({ audioSource, videoSource }: PublisherProperties): Promise<boolean> {
  if (videoSource === 'screen') return true;
  const isOpened = (source: PublisherProperties['videoSource']): boolean =>
    !isOff(source) && !isTrack(source);
  const names = [
    ...(isOpened(audioSource) ? ['microphone'] : []),
    ...(isOpened(videoSource) ? ['camera'] : []),
  ];
  const states = await Promise.all(names.map(permissionOf));
  return states.includes('prompt');
}

async function permissionOf(name: string): Promise<PermissionState | undefined> {
  try {
    return (await navigator.permissions.query({ name: name as PermissionName })).state;
  } catch {
    // An old browser, or one that keeps this to itself.
    return undefined;
  }
}
