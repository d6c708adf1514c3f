import { midOf, sectionsOf } from './sdpSections.js';

/** What a publisher wants of its Opus encoder. */
export interface OpusWishes {
  /** Next to nothing is sent in silence. */
  dtx: boolean;
  /** Two channels are sent, if the source has them. */
  stereo: boolean;
}

/**
 * Sets usedtx=1 and stereo=1 (RFC 7587 6.1) for Opus in the m-lines of a server's description: what the receiver says it likes
 * is what makes the browser's encoder do it. Everything else stays as it is.
 */
export function withOpusWishes(sdp: string, wishes: ReadonlyMap<string, OpusWishes>): string {
  if (wishes.size === 0) return sdp;
  return sectionsOf(sdp)
    .map((section) => withParameters(section, parametersOf(wishes.get(midOf(section)))))
    .join('');
}

function parametersOf(wishes: OpusWishes | undefined): string[] {
  return [...(wishes?.dtx === true ? ['usedtx'] : []), ...(wishes?.stereo === true ? ['stereo'] : [])];
}

function withParameters(section: string, names: readonly string[]): string {
  const payloadType = /^a=rtpmap:(\d+) opus\/48000/im.exec(section)?.[1];
  if (payloadType === undefined) return section;
  const line = new RegExp(`^a=fmtp:${payloadType} [^\\r\\n]*`, 'm');
  const present = line.exec(section)?.[0];
  const added = names
    .filter((name) => !new RegExp(`[ ;]${name}=`).test(present ?? ''))
    .map((name) => `${name}=1`)
    .join(';');
  if (added === '') return section;
  if (present !== undefined) return section.replace(line, () => `${present};${added}`);
  return section.replace(
    new RegExp(`^(a=rtpmap:${payloadType} [^\\r\\n]*\\r?\\n)`, 'm'),
    `$1a=fmtp:${payloadType} ${added}\r\n`,
  );
}
