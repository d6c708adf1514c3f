import { createHmac, timingSafeEqual } from 'node:crypto';
import { jwtVerify, SignJWT, errors as joseErrors } from 'jose';
import { CONNECTION_DATA_CHARS_MAX } from '@godwit/protocol';
import { CLOCK_TOLERANCE_SECONDS } from '../limits.js';
import { isRole, type Role } from './roles.js';

/** What a valid client token says. */
export interface ClientToken {
  readonly sessionId: string;
  readonly role: Role;
  readonly data: string;
}

/** A token that cannot be used, and why: shown to its bearer, so it names no secret. */
export interface TokenRefusal {
  readonly refused: string;
}

export interface TokenProject {
  readonly apiKey: string;
  readonly apiSecret: string;
}

const T1_PREFIX = 'T1==';

/** Checks a client token of either kind: HS256 JWT (scope session.connect) or T1 (HMAC-SHA1). Never throws. */
export async function verifyClientToken(
  token: string,
  project: TokenProject,
  nowMs: number,
): Promise<ClientToken | TokenRefusal> {
  const fields = token.startsWith(T1_PREFIX)
    ? readT1(token, project, nowMs)
    : await readJwt(token, project, nowMs);
  return 'refused' in fields ? fields : validate(fields);
}

interface TokenFields {
  readonly sessionId: unknown;
  readonly role: unknown;
  readonly data: unknown;
}

function validate(fields: TokenFields): ClientToken | TokenRefusal {
  const role = fields.role === undefined || fields.role === null ? 'publisher' : fields.role;
  const data = fields.data ?? '';
  if (typeof fields.sessionId !== 'string') return { refused: 'The token names no session.' };
  if (!isRole(role)) return { refused: 'The token has an unknown role.' };
  if (typeof data !== 'string' || data.length > CONNECTION_DATA_CHARS_MAX) {
    return { refused: `The token's connection data is longer than ${CONNECTION_DATA_CHARS_MAX} characters.` };
  }
  return { sessionId: fields.sessionId, role, data };
}

async function readJwt(
  token: string,
  project: TokenProject,
  nowMs: number,
): Promise<TokenFields | TokenRefusal> {
  try {
    const { payload } = await jwtVerify(token, Buffer.from(project.apiSecret), {
      algorithms: ['HS256'],
      issuer: project.apiKey,
      currentDate: new Date(nowMs),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'session_id'],
    });
    if (payload['ist'] !== 'project') return { refused: 'The token was not issued by a project.' };
    if (payload['scope'] !== 'session.connect')
      return { refused: 'The token is not for connecting to a session.' };
    return { sessionId: payload['session_id'], role: payload['role'], data: payload['connection_data'] };
  } catch (error) {
    return { refused: jwtRefusal(error) };
  }
}

function jwtRefusal(error: unknown): string {
  if (error instanceof joseErrors.JWTExpired) return 'The token has expired.';
  if (error instanceof joseErrors.JWSSignatureVerificationFailed)
    return "The token's signature is not valid.";
  if (error instanceof joseErrors.JOSEAlgNotAllowed) return 'The token is not signed with HS256.';
  if (error instanceof joseErrors.JWTClaimValidationFailed) {
    return error.claim === 'iss'
      ? 'The token belongs to another project.'
      : `The token's claim ${error.claim} is not valid.`;
  }
  return 'The token is malformed.';
}

function readT1(token: string, project: TokenProject, nowMs: number): TokenFields | TokenRefusal {
  const text = Buffer.from(token.slice(T1_PREFIX.length), 'base64').toString('utf8');
  const match = /^partner_id=([^&]*)&sig=([0-9a-f]{40}):(.*)$/s.exec(text);
  if (match === null) return { refused: 'The token is malformed.' };
  const [, apiKey = '', signature = '', data = ''] = match;
  if (apiKey !== project.apiKey) return { refused: 'The token belongs to another project.' };
  const expected = createHmac('sha1', project.apiSecret).update(data).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) {
    return { refused: "The token's signature is not valid." };
  }
  const fields = new URLSearchParams(data);
  const expiresAt = Number(fields.get('expire_time'));
  if (!(expiresAt + CLOCK_TOLERANCE_SECONDS > nowMs / 1_000)) return { refused: 'The token has expired.' };
  return {
    sessionId: fields.get('session_id'),
    role: fields.get('role'),
    data: fields.get('connection_data'),
  };
}

export interface TokenRequest {
  readonly sessionId: string;
  readonly role: Role;
  readonly data: string;
  readonly expiresAtSeconds: number;
  /** Names the system that the SDK shall connect to. */
  readonly url?: string;
}

/** Issues an HS256 client token with the claims of the `opentok` package. */
export function issueClientToken(
  request: TokenRequest,
  project: TokenProject,
  nowMs: number,
): Promise<string> {
  const nowSeconds = Math.floor(nowMs / 1_000);
  return new SignJWT({
    ist: 'project',
    session_id: request.sessionId,
    create_time: nowSeconds,
    role: request.role,
    expire_time: request.expiresAtSeconds,
    connection_data: request.data,
    initial_layout_class_list: '',
    scope: 'session.connect',
    ...(request.url === undefined ? {} : { url: request.url }),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(project.apiKey)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(request.expiresAtSeconds)
    .setJti(crypto.randomUUID())
    .sign(Buffer.from(project.apiSecret));
}
