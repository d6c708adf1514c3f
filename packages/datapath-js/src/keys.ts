import type { SrtpKeys } from '@godwit/datapath';
import { PROFILE_SIZES, SrtpReceiver, SrtpSender } from '@godwit/transport';
import { KEYLESS, type Ownership, type TransportEntry } from './transport-entry.js';

export function copyKeys(keys: SrtpKeys): SrtpKeys {
  return {
    profile: keys.profile,
    localKey: Buffer.from(keys.localKey),
    localSalt: Buffer.from(keys.localSalt),
    remoteKey: Buffer.from(keys.remoteKey),
    remoteSalt: Buffer.from(keys.remoteSalt),
  };
}

/** First ownership of fresh keys. Throws RangeError on keys of the wrong size. */
export function ownWithKeys(keys: SrtpKeys): Ownership {
  const copy = copyKeys(keys);
  return {
    kind: 'owner',
    keys: copy,
    sender: new SrtpSender(copy),
    receiver: new SrtpReceiver(copy),
    tagBytes: PROFILE_SIZES[keys.profile].tag,
  };
}

/** Zeroes whatever keys the transport has. */
export function forgetKeys(transport: TransportEntry): void {
  const { ownership } = transport;
  transport.ownership = KEYLESS;
  if (ownership.kind === 'keyless') return;
  ownership.sender.zero();
  ownership.receiver.zero();
  const { localKey, localSalt, remoteKey, remoteSalt } = ownership.keys;
  for (const bytes of [localKey, localSalt, remoteKey, remoteSalt]) bytes.fill(0);
}
