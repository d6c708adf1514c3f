import type { CodecFormat } from '@godwit/protocol';
import type { MediaDescription } from 'sdp-transform';
import {
  CODEC_NAME_CHARS_MAX,
  FEEDBACK_PER_CODEC_MAX,
  FORMAT_PARAMETERS_CHARS_MAX,
  PAYLOAD_TYPES_PER_SECTION_MAX,
  SDP_TOKEN_CHARS_MAX,
} from '../limits.js';
import { parseFormatParameters } from './format-parameters.js';
import type { RtcpFeedback } from './model.js';
import { readText, readToken, readUInt } from './read.js';

const PAYLOAD_TYPE_MAX = 127;
const CHANNELS_MAX = 8;
/** Highest clock rate in use is 90 kHz; a megahertz is nobody's. */
const CLOCK_RATE_MAX = 1_000_000;

/**
 * Codecs of one section in the m-line's order. RTX (RFC 4588) is joined to the codec that its apt names; types without
 * a=rtpmap, and maps that break the limits, are left out.
 */
export function parseCodecs(media: MediaDescription): CodecFormat[] {
  const maps = new Map<number, CodecFormat>();
  const parameters = readParameters(media);
  for (const map of media.rtp) {
    const codec = readCodec(map, parameters);
    if (codec !== null && !maps.has(codec.payloadType)) maps.set(codec.payloadType, codec);
  }
  const offered = parsePayloadTypes(media).flatMap((payloadType) => maps.get(payloadType) ?? []);
  const rtxByCodec = new Map<number, number>();
  for (const codec of offered) {
    if (codec.name !== 'rtx') continue;
    const apt = readUInt(parseFormatParameters(codec.parameters).get('apt'), PAYLOAD_TYPE_MAX);
    if (apt !== undefined && !rtxByCodec.has(apt)) rtxByCodec.set(apt, codec.payloadType);
  }
  return offered
    .filter((codec) => codec.name !== 'rtx')
    .map((codec) => {
      const rtxPayloadType = rtxByCodec.get(codec.payloadType);
      return rtxPayloadType === undefined ? codec : { ...codec, rtxPayloadType };
    });
}

/** Payload types of the m-line, in order, without repetitions. */
function parsePayloadTypes(media: MediaDescription): number[] {
  const words = String(media.payloads ?? '').split(' ', PAYLOAD_TYPES_PER_SECTION_MAX);
  return [...new Set(words.flatMap((word) => readUInt(word, PAYLOAD_TYPE_MAX) ?? []))];
}

function readCodec(
  map: MediaDescription['rtp'][number],
  parameters: ReadonlyMap<number, string>,
): CodecFormat | null {
  const payloadType = readUInt(map.payload, PAYLOAD_TYPE_MAX);
  const name = readToken(map.codec, CODEC_NAME_CHARS_MAX)?.toLowerCase();
  const clockRate = readUInt(map.rate, CLOCK_RATE_MAX);
  if (payloadType === undefined || name === undefined || clockRate === undefined || clockRate === 0)
    return null;
  const channels = readUInt(map.encoding, CHANNELS_MAX);
  if (map.encoding !== undefined && (channels === undefined || channels === 0)) return null;
  const text = parameters.get(payloadType);
  return {
    payloadType,
    name,
    clockRate,
    ...(channels === undefined ? {} : { channels }),
    ...(text === undefined ? {} : { parameters: text }),
  };
}

function readParameters(media: MediaDescription): Map<number, string> {
  const parameters = new Map<number, string>();
  for (const { payload, config } of media.fmtp) {
    const payloadType = readUInt(payload, PAYLOAD_TYPE_MAX);
    const text = readText(config, FORMAT_PARAMETERS_CHARS_MAX)?.trim();
    if (payloadType === undefined || text === undefined || !/^[\x20-\x7e]+$/.test(text)) continue;
    if (!parameters.has(payloadType)) parameters.set(payloadType, text);
  }
  return parameters;
}

/** a=rtcp-fb of the given codecs; "*" holds for each. Values of other types are left out. */
export function parseRtcpFeedback(media: MediaDescription, codecs: readonly CodecFormat[]): RtcpFeedback {
  const feedback: Record<number, string[]> = {};
  for (const codec of codecs) feedback[codec.payloadType] = [];
  for (const line of media.rtcpFb ?? []) {
    const type = readToken(line.type, SDP_TOKEN_CHARS_MAX);
    if (type === undefined) continue;
    const parameter = readToken(line.subtype, SDP_TOKEN_CHARS_MAX);
    const value = parameter === undefined ? type : `${type} ${parameter}`;
    const targets = line.payload === '*' ? Object.values(feedback) : [feedback[Number(line.payload)]];
    for (const values of targets) {
      if (values === undefined || values.length === FEEDBACK_PER_CODEC_MAX) continue;
      if (!values.includes(value)) values.push(value);
    }
  }
  return feedback;
}
