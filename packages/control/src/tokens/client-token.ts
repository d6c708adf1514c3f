import { createHmac, timingSafeEqual } from 'node:crypto';
import { SignJWT, errors as joseErrors, type JWTPayload } from 'jose';
import { CONNECTION_DATA_CHARS_MAX } from '@godwit/protocol';
import { ControlError } from '../errors.js';
import { CLOCK_TOLERANCE_SECONDS, LAYOUT_CLASS_LIST_CHARS_MAX } from '../limits.js';
import type { Project } from '../projects/project.js';
import { isRole, type Role } from './roles.js';
import { verifyProjectJwt } from './signatures.js';

/** What a valid client token says. */
export interface ClientToken {
  readonly sessionId: string;
  readonly role: Role;
  readonly data: string;
  /** Of the streams that its bearer will publish. */
  readonly layoutClasses: readonly string[];
}

/** A token that cannot be used, and why: shown to its bearer, so it names no secret. */
export interface TokenRefusal {
  readonly refused: string;
}

const T1_PREFIX = 'T1==';

/** Checks a client token of any kind: a JWT (HS256 or RS256, scope session.connect) or T1 (HMAC-SHA1). Never throws. */
export async function verifyClientToken(
  token: string,
  project: Project,
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
  /** Words with spaces between them. */
  readonly layoutClassList: unknown;
}

function validate(fields: TokenFields): ClientToken | TokenRefusal {
  const role = fields.role === undefined || fields.role === null ? 'publisher' : fields.role;
  const data = fields.data ?? '';
  if (typeof fields.sessionId !== 'string') return { refused: 'The token names no session.' };
  if (!isRole(role)) return { refused: 'The token has an unknown role.' };
  if (typeof data !== 'string' || data.length > CONNECTION_DATA_CHARS_MAX) {
    return { refused: `The token's connection data is longer than ${CONNECTION_DATA_CHARS_MAX} characters.` };
  }
  const layoutClasses = readLayoutClasses(fields.layoutClassList);
  if (layoutClasses === null)
    return {
      refused: `The token's layout class list is longer than ${LAYOUT_CLASS_LIST_CHARS_MAX} characters.`,
    };
  // Half of a pair of surrogates is no text that could be written down.
  return {
    sessionId: fields.sessionId,
    role,
    data: data.replace(/\p{Surrogate}|\0/gu, '\ufffd'),
    layoutClasses,
  };
}

function readLayoutClasses(list: unknown): string[] | null {
  if (typeof list !== 'string') return [];
  if (list.length > LAYOUT_CLASS_LIST_CHARS_MAX) return null;
  return list.split(/\s+/).filter((word) => word !== '');
}

async function readJwt(token: string, project: Project, nowMs: number): Promise<TokenFields | TokenRefusal> {
  try {
    const payload = await verifyProjectJwt(token, project, {
      currentDate: new Date(nowMs),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'session_id'],
    });
    if (projectOf(payload) !== project.apiKey) return { refused: 'The token belongs to another project.' };
    if (payload['ist'] !== undefined && payload['ist'] !== 'project')
      return { refused: 'The token was not issued by a project.' };
    if (payload['scope'] !== 'session.connect')
      return { refused: 'The token is not for connecting to a session.' };
    return {
      sessionId: payload['session_id'],
      role: payload['role'],
      data: payload['connection_data'],
      layoutClassList: payload['initial_layout_class_list'],
    };
  } catch (error) {
    return { refused: jwtRefusal(error) };
  }
}

/** Who signed it: an application says so in `application_id`, a key in `iss`. */
export function projectOf(payload: JWTPayload): unknown {
  return payload['application_id'] ?? payload.iss;
}

function jwtRefusal(error: unknown): string {
  if (error instanceof joseErrors.JWTExpired) return 'The token has expired.';
  if (error instanceof joseErrors.JWSSignatureVerificationFailed)
    return "The token's signature is not valid.";
  if (error instanceof joseErrors.JOSEAlgNotAllowed)
    return 'The token is signed with neither HS256 nor RS256.';
  if (error instanceof joseErrors.JWTClaimValidationFailed)
    return `The token's claim ${error.claim} is not valid.`;
  return 'The token is malformed.';
}

function readT1(token: string, project: Project, nowMs: number): TokenFields | TokenRefusal {
  const text = Buffer.from(token.slice(T1_PREFIX.length), 'base64').toString('utf8');
  const match = /^partner_id=([^&]*)&sig=([0-9a-f]{40}):(.*)$/s.exec(text);
  if (match === null) return { refused: 'The token is malformed.' };
  const [, apiKey = '', signature = '', data = ''] = match;
  if (apiKey !== project.apiKey) return { refused: 'The token belongs to another project.' };
  const given = Buffer.from(signature, 'hex');
  const isSigned = project.secrets.some((secret) =>
    timingSafeEqual(createHmac('sha1', secret).update(data).digest(), given),
  );
  if (!isSigned) return { refused: "The token's signature is not valid." };
  const fields = new URLSearchParams(data);
  const expiresAt = Number(fields.get('expire_time'));
  if (!(expiresAt + CLOCK_TOLERANCE_SECONDS > nowMs / 1_000)) return { refused: 'The token has expired.' };
  return {
    sessionId: fields.get('session_id'),
    role: fields.get('role'),
    data: fields.get('connection_data'),
    layoutClassList: fields.get('initial_layout_class_list'),
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

/** Issues an HS256 client token, signed with the project's newest secret, with the claims of the `opentok` package. */
export function issueClientToken(
  request: TokenRequest,
  project: Pick<Project, 'apiKey' | 'secrets'>,
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
    .sign(Buffer.from(newestSecret(project)));
}

function newestSecret({ secrets }: Pick<Project, 'secrets'>): string {
  const secret = secrets.at(-1);
  // One that has only a key pair signs its tokens itself: control has not the private half.
  if (secret === undefined)
    throw new ControlError('noSecret', 'This project has no secret; sign the token with its private key.');
  return secret;
}
