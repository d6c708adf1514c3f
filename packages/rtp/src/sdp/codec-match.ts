import type { CodecFormat } from '@godwit/protocol';
import { parseFormatParameters } from './format-parameters.js';
import { parseH264Profile } from './h264-profile.js';

/**
 * True when a stream in one format can be forwarded as the other without transcoding. Payload types do not matter.
 * H.264: same packetization mode and profile, and the same level unless both sides allow asymmetry (RFC 6184 8.2.2).
 * VP9: same profile-id (RFC 9628 7). AV1: same profile (AV1 RTP specification 7.2).
 */
export function codecsMatch(left: CodecFormat, right: CodecFormat): boolean {
  if (left.name !== right.name || left.clockRate !== right.clockRate) return false;
  if ((left.channels ?? 1) !== (right.channels ?? 1)) return false;
  const leftParameters = parseFormatParameters(left.parameters);
  const rightParameters = parseFormatParameters(right.parameters);
  const equal = (name: string, otherwise: string) =>
    (leftParameters.get(name) ?? otherwise) === (rightParameters.get(name) ?? otherwise);
  switch (left.name) {
    case 'h264':
      return equal('packetization-mode', '0') && h264ProfilesMatch(leftParameters, rightParameters);
    case 'vp9':
      return equal('profile-id', '0');
    case 'av1':
      return equal('profile', '0');
    default:
      return true;
  }
}

type Parameters = ReadonlyMap<string, string>;

function h264ProfilesMatch(left: Parameters, right: Parameters): boolean {
  const leftProfile = parseH264Profile(left.get('profile-level-id'));
  const rightProfile = parseH264Profile(right.get('profile-level-id'));
  if (leftProfile === null || rightProfile === null || leftProfile.profile !== rightProfile.profile)
    return false;
  const asymmetric = [left, right].every((parameters) => parameters.get('level-asymmetry-allowed') === '1');
  return asymmetric || leftProfile.level === rightProfile.level;
}
