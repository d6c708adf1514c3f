import { SignJWT } from 'jose';
import type { Platform } from './platform.js';

/** A JWT of the project as the server SDKs make it (HS256), valid for `seconds`. */
export function projectToken(
  { apiKey, apiSecret }: Pick<Platform, 'apiKey' | 'apiSecret'>,
  seconds: number,
): Promise<string> {
  return new SignJWT({ ist: 'project' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(apiKey)
    .setIssuedAt()
    .setExpirationTime(`${seconds}s`)
    .sign(new TextEncoder().encode(apiSecret));
}
