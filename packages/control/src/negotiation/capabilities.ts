import type { CodecFormat, HeaderExtensionIds, HeaderExtensionName, MediaKind } from '@godwit/protocol';
import type { PeerSection, RtcpFeedback } from '@godwit/rtp';

const VIDEO_CODECS = ['vp8', 'vp9', 'h264', 'av1'];
const AUDIO_CODECS = ['opus', 'red'];
const FEEDBACK: Readonly<Record<MediaKind, readonly string[]>> = {
  audio: ['transport-cc', 'nack'],
  video: ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
};
const PUBLISH_EXTENSIONS: readonly HeaderExtensionName[] = [
  'mid',
  'absSendTime',
  'transportCc',
  'audioLevel',
  'videoOrientation',
  'dependencyDescriptor',
];
/** No mid: a subscriber tells our streams by their a=ssrc lines. */
const SUBSCRIBE_EXTENSIONS = PUBLISH_EXTENSIONS.filter((name) => name !== 'mid');

/** What we take of a section that publishes: of video one codec, so that subscribers know what they must decode. */
export function publishFormats(section: PeerSection): CodecFormat[] {
  const supported = supportedFormats(section);
  return section.kind === 'video' ? supported.slice(0, 1) : supported;
}

/** What we may send on a section that subscribes: all that we know, so that a publisher may change its codec. */
export function subscribeFormats(section: PeerSection): CodecFormat[] {
  return supportedFormats(section);
}

export function feedbackOf(section: PeerSection, codecs: readonly CodecFormat[]): RtcpFeedback {
  if (section.kind === 'application') return {};
  const allowed = FEEDBACK[section.kind];
  return Object.fromEntries(
    codecs.map(({ payloadType }) => [
      payloadType,
      (section.rtcpFeedback[payloadType] ?? []).filter((feedback) => allowed.includes(feedback)),
    ]),
  );
}

export function extensionsOf(section: PeerSection, use: 'publish' | 'subscribe'): HeaderExtensionIds {
  const names = use === 'publish' ? PUBLISH_EXTENSIONS : SUBSCRIBE_EXTENSIONS;
  const ids: HeaderExtensionIds = {};
  for (const name of names) {
    const id = section.extensions[name];
    if (id !== undefined) ids[name] = id;
  }
  return ids;
}

function supportedFormats(section: PeerSection): CodecFormat[] {
  const names = section.kind === 'video' ? VIDEO_CODECS : AUDIO_CODECS;
  const supported = section.codecs.filter((codec) => names.includes(codec.name));
  // RED without its Opus cannot be switched off by the sender.
  return supported.every((codec) => codec.name === 'red') ? [] : supported;
}
