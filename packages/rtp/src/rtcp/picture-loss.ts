import { allocateFeedback, PAYLOAD_FEEDBACK_FORMAT, readFeedbackSources } from './feedback.js';
import type { FeedbackSources } from './feedback.js';
import { RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';

/** Picture loss indication (RFC 4585 6.3.1): asks for a key frame. */
export interface PictureLossIndication extends FeedbackSources {
  readonly type: 'pictureLossIndication';
}

export function parsePictureLossIndication({ body }: RtcpFrame): PictureLossIndication | null {
  const sources = readFeedbackSources(body);
  return sources === null ? null : { type: 'pictureLossIndication', ...sources };
}

export function writePictureLossIndication(indication: PictureLossIndication): Buffer {
  return allocateFeedback(RTCP_TYPE.payloadFeedback, PAYLOAD_FEEDBACK_FORMAT.pictureLoss, indication, 0);
}
