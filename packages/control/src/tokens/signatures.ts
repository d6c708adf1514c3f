import {
  decodeProtectedHeader,
  errors as joseErrors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyOptions,
} from 'jose';
import type { Project } from '../projects/project.js';

/**
 * Verifies a JWT against every valid credential of the project that fits its algorithm: a secret is never tried as a key,
 * nor a key as a secret. Rejects with jose's error.
 */
export async function verifyProjectJwt(
  token: string,
  project: Project,
  options: Omit<JWTVerifyOptions, 'algorithms'>,
): Promise<JWTPayload> {
  const { alg } = decodeProtectedHeader(token);
  const candidates =
    alg === 'HS256'
      ? project.secrets.map((secret) => Buffer.from(secret))
      : alg === 'RS256'
        ? project.publicKeys
        : null;
  if (candidates === null) throw new joseErrors.JOSEAlgNotAllowed('the algorithm is not one of a project');
  let failure: unknown = new joseErrors.JWSSignatureVerificationFailed();
  for (const candidate of candidates) {
    try {
      return (await jwtVerify(token, candidate, { ...options, algorithms: [alg as string] })).payload;
    } catch (error) {
      // Signed with the other one, perhaps; anything else will not be better there.
      if (!(error instanceof joseErrors.JWSSignatureVerificationFailed)) throw error;
      failure = error;
    }
  }
  throw failure;
}
