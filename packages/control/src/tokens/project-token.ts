import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { decodeJwt } from 'jose';
import { ControlError } from '../errors.js';
import { CLOCK_TOLERANCE_SECONDS, PROJECT_TOKEN_LIFETIME_SECONDS_MAX } from '../limits.js';
import type { Project } from '../projects/project.js';
import { projectOf } from './client-token.js';
import { verifyProjectJwt } from './signatures.js';

/** A JWT as it came, and whose it says that it is. Nothing is proven yet. */
export interface Claim {
  readonly token: string;
  readonly apiKey: string;
}

/**
 * What a server SDK presents: a JWT in X-OPENTOK-AUTH, or as bearer in Authorization. Throws a ControlError when there is none,
 * or none that names a project.
 */
export function readClaim(headers: IncomingHttpHeaders): Claim {
  const token = presentedToken(headers);
  return { token, apiKey: claimedProject(token) };
}

/**
 * Checks that the project has signed the JWT: HS256 with one of its secrets, or RS256 with the private half of one of its keys.
 * Throws a ControlError; null, a project that there is not, is refused like a wrong signature.
 */
export async function verifyClaim(
  { token }: Claim,
  project: Project | null,
  nowMs: number,
): Promise<Project> {
  if (project === null) throw refused();
  const payload = await verifyProjectJwt(token, project, {
    currentDate: new Date(nowMs),
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp'],
  }).catch(() => {
    throw refused();
  });
  if ((payload.exp ?? 0) > nowMs / 1_000 + PROJECT_TOKEN_LIFETIME_SECONDS_MAX) throw refused();
  if (payload['ist'] !== undefined && payload['ist'] !== 'project')
    throw new ControlError('forbidden', 'The JWT must be of a project: its claim ist is another.');
  // Client tokens are signed with the same secret: they let somebody into a session, not into the project.
  if (payload['session_id'] !== undefined || payload['scope'] === 'session.connect')
    throw new ControlError('forbidden', 'The JWT is a client token; sign one for the project.');
  return project;
}

function presentedToken(headers: IncomingHttpHeaders): string {
  const own = headers['x-opentok-auth'];
  if (typeof own === 'string' && own !== '') return own;
  const bearer = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  throw new ControlError(
    'unauthorized',
    'A JWT of the project is missing: send it as X-OPENTOK-AUTH, or as Authorization: Bearer.',
  );
}

/** Before anything is verified: whose credentials are to be tried. */
function claimedProject(token: string): string {
  try {
    const claimed = projectOf(decodeJwt(token));
    if (typeof claimed === 'string') return claimed;
  } catch {
    // Said below.
  }
  throw refused();
}

/** One answer for all: who guesses learns nothing. */
function refused(): ControlError {
  return new ControlError('unauthorized', 'The JWT is malformed, expired, or not signed by this project.');
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
