import { RTCP_TEXT_BYTES_MAX } from '../limits.js';
import { allocateRtcp, RTCP_HEADER_BYTES, RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';

/** BYE (RFC 3550 6.6). */
export interface Goodbye {
  readonly type: 'goodbye';
  readonly ssrcs: readonly number[];
  readonly reason?: string;
}

export function parseGoodbye({ body, count }: RtcpFrame): Goodbye | null {
  const ssrcsEnd = count * 4;
  if (ssrcsEnd > body.length) return null;
  const ssrcs = Array.from({ length: count }, (_, index) => body.readUInt32BE(index * 4));
  if (ssrcsEnd === body.length) return { type: 'goodbye', ssrcs };
  const reasonEnd = ssrcsEnd + 1 + body.readUInt8(ssrcsEnd);
  if (reasonEnd > body.length) return null;
  return { type: 'goodbye', ssrcs, reason: body.toString('utf8', ssrcsEnd + 1, reasonEnd) };
}

export function writeGoodbye(goodbye: Goodbye): Buffer {
  const reason = Buffer.from(goodbye.reason ?? '', 'utf8');
  if (reason.length > RTCP_TEXT_BYTES_MAX) throw new RangeError('the reason is too long');
  const reasonBytes = goodbye.reason === undefined ? 0 : (1 + reason.length + 3) & ~3;
  const ssrcBytes = goodbye.ssrcs.length * 4;
  const packet = allocateRtcp(RTCP_TYPE.goodbye, goodbye.ssrcs.length, ssrcBytes + reasonBytes);
  goodbye.ssrcs.forEach((ssrc, index) => packet.writeUInt32BE(ssrc, RTCP_HEADER_BYTES + index * 4));
  if (reasonBytes > 0) {
    packet.writeUInt8(reason.length, RTCP_HEADER_BYTES + ssrcBytes);
    reason.copy(packet, RTCP_HEADER_BYTES + ssrcBytes + 1);
  }
  return packet;
}
