// Whether a callback comes from the platform. Whoever could forge one could send a whole call elsewhere.
import { createHash } from 'node:crypto';
import { jwtVerify } from 'jose';

/** Attempts are signed anew, so an old signature is a copy. */
const MAX_AGE = '5 minutes';

/**
 * The Authorization header is a JWT, signed with the secret, that names the SHA-256 of the body. `body` is the text as it
 * came: written anew, the same JSON may have another hash.
 */
export async function isGenuine(authorization = '', body, secret) {
  const [, token] = /^Bearer (.+)$/.exec(authorization) ?? [];
  if (token === undefined) return false;
  const rules = { algorithms: ['HS256'], issuer: 'godwit', maxTokenAge: MAX_AGE, clockTolerance: 60 };
  try {
    const { payload } = await jwtVerify(token, Buffer.from(secret), rules);
    return payload.payload_hash === createHash('sha256').update(body).digest('hex');
  } catch {
    return false;
  }
}
