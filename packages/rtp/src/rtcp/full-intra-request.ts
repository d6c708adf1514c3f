import {
  allocateFeedback,
  FEEDBACK_CONTROL_OFFSET,
  FEEDBACK_SSRCS_BYTES,
  PAYLOAD_FEEDBACK_FORMAT,
  readFeedbackSources,
} from './feedback.js';
import { RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';

/** Full intra request (RFC 5104 4.3.1). */
export interface FullIntraRequest {
  readonly type: 'fullIntraRequest';
  readonly senderSsrc: number;
  readonly entries: readonly {
    /** The stream that shall send a key frame. */
    readonly ssrc: number;
    /** 8 bits; a repeated number repeats the request, a new one is a new request. */
    readonly sequence: number;
  }[];
}

const ENTRY_BYTES = 8;

export function parseFullIntraRequest({ body }: RtcpFrame): FullIntraRequest | null {
  const sources = readFeedbackSources(body);
  if (sources === null) return null;
  const entries: { ssrc: number; sequence: number }[] = [];
  for (let at = FEEDBACK_SSRCS_BYTES; at + ENTRY_BYTES <= body.length; at += ENTRY_BYTES) {
    entries.push({ ssrc: body.readUInt32BE(at), sequence: body.readUInt8(at + 4) });
  }
  return { type: 'fullIntraRequest', senderSsrc: sources.senderSsrc, entries };
}

export function writeFullIntraRequest(request: FullIntraRequest): Buffer {
  // The media SSRC of the common header is unused and 0.
  const sources = { senderSsrc: request.senderSsrc, mediaSsrc: 0 };
  const packet = allocateFeedback(
    RTCP_TYPE.payloadFeedback,
    PAYLOAD_FEEDBACK_FORMAT.fullIntraRequest,
    sources,
    request.entries.length * ENTRY_BYTES,
  );
  request.entries.forEach((entry, index) => {
    packet.writeUInt32BE(entry.ssrc, FEEDBACK_CONTROL_OFFSET + index * ENTRY_BYTES);
    packet.writeUInt8(entry.sequence & 0xff, FEEDBACK_CONTROL_OFFSET + index * ENTRY_BYTES + 4);
  });
  return packet;
}
