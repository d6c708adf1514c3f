import type { HeaderExtensionName } from '@godwit/protocol';

/** The URI that negotiates each header extension in SDP (RFC 8285 5). */
export const HEADER_EXTENSION_URIS: Readonly<Record<HeaderExtensionName, string>> = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  transportCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  audioLevel: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  videoOrientation: 'urn:3gpp:video-orientation',
  dependencyDescriptor:
    'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  videoContentType: 'http://www.webrtc.org/experiments/rtp-hdrext/video-content-type',
  colorSpace: 'http://www.webrtc.org/experiments/rtp-hdrext/color-space',
};

const NAMES_BY_URI: ReadonlyMap<string, HeaderExtensionName> = new Map(
  Object.entries(HEADER_EXTENSION_URIS).map(([name, uri]) => [uri, name as HeaderExtensionName]),
);

/** Our name of an extension, or null when the platform does not know its URI. */
export function headerExtensionByUri(uri: string): HeaderExtensionName | null {
  return NAMES_BY_URI.get(uri) ?? null;
}
