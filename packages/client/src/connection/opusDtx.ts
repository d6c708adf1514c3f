import { midOf, sectionsOf } from './sdpSections.js';

/**
 * Sets usedtx=1 (RFC 7587, 6.1) for Opus in the m-line with `mid` of an answer: the receiver's wish in the answer
 * is what makes the browser's encoder stop sending in silence. Everything else stays as it is.
 */
export function withOpusDtx(sdp: string, mids: ReadonlySet<string>): string {
  if (mids.size === 0) return sdp;
  return sectionsOf(sdp)
    .map((section) => (mids.has(midOf(section)) ? dtxSection(section) : section))
    .join('');
}

function dtxSection(section: string): string {
  const payloadType = /^a=rtpmap:(\d+) opus\/48000/im.exec(section)?.[1];
  if (payloadType === undefined || /usedtx=/.test(section)) return section;
  const parameters = new RegExp(`^(a=fmtp:${payloadType} [^\\r\\n]*)`, 'm');
  if (parameters.test(section)) return section.replace(parameters, '$1;usedtx=1');
  return section.replace(
    new RegExp(`^(a=rtpmap:${payloadType} [^\\r\\n]*\\r?\\n)`, 'm'),
    `$1a=fmtp:${payloadType} usedtx=1\r\n`,
  );
}
