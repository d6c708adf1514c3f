import { log } from '../log.js';

/** Same as SIGNALLING_PATH of the protocol; a test compares them. */
export const SIGNALLING_PATH = '/v1/signalling';

/** Keeps `value` when it is an absolute http(s) URL, without a trailing slash; otherwise undefined. */
export function httpUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/**
 * The claim `url` of a JWT client token (RFC 7519): the system that the token is for.
 * Undefined for other kinds of token and for anything unreadable; the server judges the token itself.
 */
export function tokenUrl(token: string): string | undefined {
  const [, payload] = token.split('.');
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(decodeBase64Url(payload));
    if (typeof claims !== 'object' || claims === null || !('url' in claims)) return undefined;
    const url = httpUrl(claims.url);
    if (url === undefined) log.warn('the url claim of the token is no http(s) URL; it is ignored');
    return url;
  } catch {
    return undefined;
  }
}

function decodeBase64Url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** WebSocket address of the signalling of `apiUrl`. */
export function signallingUrl(apiUrl: string): string {
  return `${apiUrl.replace(/^http/, 'ws')}${SIGNALLING_PATH}`;
}
