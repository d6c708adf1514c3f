import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Project } from '../projects/project.js';

/**
 * The Authorization header of a callback: a JWT (HS256) whose `payload_hash` is the SHA-256 of the body, hex, and whose
 * `jti` is the event's id. Null when the project has nothing to sign with.
 */
export async function signCallback(
  { apiKey, signatureSecret, secrets }: Project,
  { eventId, body }: { readonly eventId: string; readonly body: string },
  nowMs: number,
): Promise<string | null> {
  const secret = signatureSecret ?? secrets.at(-1);
  if (secret === undefined) return null;
  const token = await new SignJWT({
    api_key: apiKey,
    application_id: apiKey,
    payload_hash: createHash('sha256').update(body).digest('hex'),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer('godwit')
    .setIssuedAt(Math.floor(nowMs / 1_000))
    .setJti(eventId)
    .sign(Buffer.from(secret));
  return `Bearer ${token}`;
}
