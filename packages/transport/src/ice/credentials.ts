import type { IceCredentials } from '@godwit/protocol';

/** 96 and 144 random bits: more than the 24 and 128 that RFC 8445 5.3 asks for; ufrags must never collide. */
const UFRAG_BYTES = 12;
const PASSWORD_BYTES = 18;
/** RFC 8839 5.4. */
const ICE_CHARS = /^[A-Za-z0-9+/]+$/;

/** New credentials. Base64 without padding consists of ice-chars (RFC 8839 5.4). `randomBytes` as of node:crypto. */
export function createIceCredentials(randomBytes: (size: number) => Buffer): IceCredentials {
  return {
    ufrag: randomBytes(UFRAG_BYTES).toString('base64'),
    pwd: randomBytes(PASSWORD_BYTES).toString('base64'),
  };
}

export interface IceUsername {
  readonly localUfrag: string;
  readonly remoteUfrag: string;
}

/** USERNAME of a check, seen by its receiver: "<ours>:<theirs>" (RFC 8445 7.2.2). Null when it is none. */
export function parseIceUsername(username: string): IceUsername | null {
  const [localUfrag, remoteUfrag, ...rest] = username.split(':');
  if (localUfrag === undefined || remoteUfrag === undefined || rest.length > 0) return null;
  if (!ICE_CHARS.test(localUfrag) || !ICE_CHARS.test(remoteUfrag)) return null;
  return { localUfrag, remoteUfrag };
}
