import type { SrtpKeys } from '@godwit/datapath';

/** Overwrites key bytes whose copy lives on elsewhere, or is needed no more. */
export function zeroKeys({ localKey, localSalt, remoteKey, remoteSalt }: SrtpKeys): void {
  for (const part of [localKey, localSalt, remoteKey, remoteSalt]) part.fill(0);
}
