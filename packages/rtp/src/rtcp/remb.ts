import {
  allocateFeedback,
  FEEDBACK_CONTROL_OFFSET,
  FEEDBACK_SSRCS_BYTES,
  PAYLOAD_FEEDBACK_FORMAT,
  readFeedbackSources,
} from './feedback.js';
import { RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';

/** Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03). */
export interface ReceiverEstimatedMaxBitrate {
  readonly type: 'receiverEstimatedMaxBitrate';
  readonly senderSsrc: number;
  /** 18 significant bits; written rounded down. */
  readonly bitrateBps: number;
  /** Streams that share the bitrate, at most 255. */
  readonly ssrcs: readonly number[];
}

const IDENTIFIER = 0x52454d42; // "REMB"
const FIXED_BYTES = 8;
const MANTISSA_LIMIT = 2 ** 18;
const EXPONENT_MAX = 63;

export function parseRemb({ body }: RtcpFrame): ReceiverEstimatedMaxBitrate | null {
  const sources = readFeedbackSources(body);
  const start = FEEDBACK_SSRCS_BYTES;
  if (sources === null || body.length < start + FIXED_BYTES) return null;
  if (body.readUInt32BE(start) !== IDENTIFIER) return null;
  const count = body.readUInt8(start + 4);
  if (start + FIXED_BYTES + count * 4 > body.length) return null;
  const exponent = body.readUInt8(start + 5) >>> 2;
  const mantissa = body.readUIntBE(start + 5, 3) % MANTISSA_LIMIT;
  return {
    type: 'receiverEstimatedMaxBitrate',
    senderSsrc: sources.senderSsrc,
    bitrateBps: mantissa * 2 ** exponent,
    ssrcs: Array.from({ length: count }, (_, index) => body.readUInt32BE(start + FIXED_BYTES + index * 4)),
  };
}

export function writeRemb(remb: ReceiverEstimatedMaxBitrate): Buffer {
  if (remb.ssrcs.length > 255) throw new RangeError('at most 255 SSRCs fit one REMB');
  const sources = { senderSsrc: remb.senderSsrc, mediaSsrc: 0 };
  const controlBytes = FIXED_BYTES + remb.ssrcs.length * 4;
  const packet = allocateFeedback(
    RTCP_TYPE.payloadFeedback,
    PAYLOAD_FEEDBACK_FORMAT.applicationLayer,
    sources,
    controlBytes,
  );
  let exponent = 0;
  let mantissa = Math.floor(remb.bitrateBps);
  while (mantissa >= MANTISSA_LIMIT && exponent < EXPONENT_MAX) {
    mantissa = Math.floor(mantissa / 2);
    exponent += 1;
  }
  packet.writeUInt32BE(IDENTIFIER, FEEDBACK_CONTROL_OFFSET);
  packet.writeUInt8(remb.ssrcs.length, FEEDBACK_CONTROL_OFFSET + 4);
  packet.writeUIntBE(exponent * MANTISSA_LIMIT + mantissa, FEEDBACK_CONTROL_OFFSET + 5, 3);
  remb.ssrcs.forEach((ssrc, index) => {
    packet.writeUInt32BE(ssrc, FEEDBACK_CONTROL_OFFSET + FIXED_BYTES + index * 4);
  });
  return packet;
}
