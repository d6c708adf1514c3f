import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** 64 random bits as 16 hex digits: transports, streams, moves. */
export function newId64(): string {
  return randomBytes(8).toString('hex');
}

export function newConnectionId(): string {
  return randomUUID();
}

export function newReplicaId(): string {
  return randomUUID();
}

export function newMigrationId(): string {
  return randomUUID();
}

/** Secret of one connection, and the form in which it is kept. */
export function newResumeToken(): { token: string; hash: string } {
  const token = randomBytes(24).toString('base64url');
  return { token, hash: hashResumeToken(token) };
}

export function hashResumeToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Our SSRC for RTCP or for an egress; 0 is legal but confuses tools. */
export function newSsrc(): number {
  return randomBytes(4).readUInt32BE() || 1;
}

/**
 * A session id as the `opentok` package decodes it: a digit, an underscore and base64url of fields between tildes, of
 * which the second is the API key, the third the location and the fourth the creation time.
 */
export function newSessionId(apiKey: string, location: string, nowMs: number): string {
  const fields = ['?', apiKey, location, String(nowMs), randomBytes(15).toString('base64url'), ''];
  return `1_${Buffer.from(fields.join('~')).toString('base64url')}`;
}

/** Fields of a session id, or null when it is not one. */
export function parseSessionId(sessionId: string): { apiKey: string; location: string } | null {
  if (!/^\d_[A-Za-z0-9_-]+$/.test(sessionId)) return null;
  const [, apiKey, location] = Buffer.from(sessionId.slice(2), 'base64url').toString('utf8').split('~');
  return apiKey === undefined || location === undefined ? null : { apiKey, location };
}
