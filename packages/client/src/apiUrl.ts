import { otError } from './errors.js';
import { httpUrl } from './signalling/url.js';

/** Origin of the classic script that is being evaluated; undefined for a module and outside a page. */
function scriptOrigin(): string | undefined {
  if (typeof document === 'undefined') return undefined;
  const script = document.currentScript;
  const source = script instanceof HTMLScriptElement ? script.src : '';
  return source === '' ? undefined : new URL(source).origin;
}

// Known only while the script is evaluated.
const loadedFrom = scriptOrigin();
let chosen: string | undefined;

/**
 * Names the platform's base URL for sessions that connect from now on. A token's claim `url` goes before it.
 * @throws OTError OT_INVALID_PARAMETER when it is no absolute http(s) URL
 */
export function setApiUrl(url: string): void {
  const checked = httpUrl(url);
  if (checked === undefined) throw otError('OT_INVALID_PARAMETER', 'The API URL is an absolute http(s) URL.');
  chosen = checked;
}

/** The chosen URL, else where the script came from, else the page's origin. */
export function apiUrl(): string {
  return chosen ?? loadedFrom ?? globalThis.location.origin;
}
