import { allocateRtcp, RTCP_HEADER_BYTES } from './header.js';
import type { RTCP_TYPE } from './header.js';

/** Feedback message types of RTPFB, packet type 205 (RFC 4585 6.2, transport-wide-cc draft). */
export const TRANSPORT_FEEDBACK_FORMAT = { nack: 1, transportCc: 15 } as const;
/** Feedback message types of PSFB, packet type 206 (RFC 4585 6.3, RFC 5104 4.3, REMB draft). */
export const PAYLOAD_FEEDBACK_FORMAT = { pictureLoss: 1, fullIntraRequest: 4, applicationLayer: 15 } as const;

/** Common to all feedback (RFC 4585 6.1): sender and media SSRC lead the body. */
export const FEEDBACK_SSRCS_BYTES = 8;
/** Offset of the feedback control information in a whole packet. */
export const FEEDBACK_CONTROL_OFFSET = RTCP_HEADER_BYTES + FEEDBACK_SSRCS_BYTES;

export interface FeedbackSources {
  /** Who gives feedback. */
  readonly senderSsrc: number;
  /** The stream it is about. */
  readonly mediaSsrc: number;
}

/** Null when the body is too short. */
export function readFeedbackSources(body: Buffer): FeedbackSources | null {
  if (body.length < FEEDBACK_SSRCS_BYTES) return null;
  return { senderSsrc: body.readUInt32BE(0), mediaSsrc: body.readUInt32BE(4) };
}

/** A zeroed feedback packet with `controlBytes` (a multiple of 4) behind the two SSRCs. */
export function allocateFeedback(
  packetType: typeof RTCP_TYPE.transportFeedback | typeof RTCP_TYPE.payloadFeedback,
  format: number,
  sources: FeedbackSources,
  controlBytes: number,
): Buffer {
  const packet = allocateRtcp(packetType, format, FEEDBACK_SSRCS_BYTES + controlBytes);
  packet.writeUInt32BE(sources.senderSsrc, RTCP_HEADER_BYTES);
  packet.writeUInt32BE(sources.mediaSsrc, RTCP_HEADER_BYTES + 4);
  return packet;
}
