import { timingSafeEqual } from 'node:crypto';
import { jwtVerify } from 'jose';
import { ControlError } from '../errors.js';
import { CLOCK_TOLERANCE_SECONDS } from '../limits.js';
import type { TokenProject } from './client-token.js';

/** Checks the JWT of a server SDK (X-OPENTOK-AUTH). Throws a ControlError. */
export async function verifyProjectToken(
  token: unknown,
  project: TokenProject,
  nowMs: number,
): Promise<void> {
  if (typeof token !== 'string')
    throw new ControlError('unauthorized', 'The header X-OPENTOK-AUTH is missing.');
  const verified = await jwtVerify(token, Buffer.from(project.apiSecret), {
    algorithms: ['HS256'],
    issuer: project.apiKey,
    currentDate: new Date(nowMs),
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp'],
  }).catch(() => null);
  if (verified === null) {
    throw new ControlError(
      'unauthorized',
      'The JWT in X-OPENTOK-AUTH is malformed, expired, or of another project.',
    );
  }
  if (verified.payload['ist'] !== 'project') {
    throw new ControlError('forbidden', 'The JWT in X-OPENTOK-AUTH must have the claim ist = project.');
  }
  // Client tokens are signed with the same secret: they let somebody into a session, not into the project.
  if (verified.payload['session_id'] !== undefined || verified.payload['scope'] === 'session.connect') {
    throw new ControlError(
      'forbidden',
      'The JWT in X-OPENTOK-AUTH is a client token; sign one for the project.',
    );
  }
}

/** Checks the bearer of the admin API. Throws a ControlError. */
export function verifyAdminToken(authorization: string | undefined, adminToken: string): void {
  const given = Buffer.from(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '');
  const expected = Buffer.from(adminToken);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new ControlError(
      'unauthorized',
      'The admin API needs the header Authorization: Bearer <admin token>.',
    );
  }
}
