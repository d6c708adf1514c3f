import { NACK_SEQUENCES_MAX } from '../limits.js';
import {
  allocateFeedback,
  FEEDBACK_CONTROL_OFFSET,
  FEEDBACK_SSRCS_BYTES,
  readFeedbackSources,
  TRANSPORT_FEEDBACK_FORMAT,
} from './feedback.js';
import type { FeedbackSources } from './feedback.js';
import { RTCP_TYPE } from './header.js';
import type { RtcpFrame } from './header.js';

/** Generic NACK (RFC 4585 6.2.1). */
export interface Nack extends FeedbackSources {
  readonly type: 'nack';
  /** 16-bit numbers of lost packets. A parsed NACK has at most NACK_SEQUENCES_MAX; the rest is ignored. */
  readonly sequences: readonly number[];
}

/** A packet id and a bitmask of the 16 that follow. */
const ITEM_BYTES = 4;
const MASK_BITS = 16;

export function parseNack({ body }: RtcpFrame): Nack | null {
  const sources = readFeedbackSources(body);
  if (sources === null) return null;
  const sequences: number[] = [];
  for (let at = FEEDBACK_SSRCS_BYTES; at + ITEM_BYTES <= body.length; at += ITEM_BYTES) {
    if (sequences.length + 1 + MASK_BITS > NACK_SEQUENCES_MAX) break;
    const packetId = body.readUInt16BE(at);
    const mask = body.readUInt16BE(at + 2);
    sequences.push(packetId);
    for (let bit = 0; bit < MASK_BITS; bit += 1) {
      if ((mask & (1 << bit)) !== 0) sequences.push((packetId + bit + 1) & 0xffff);
    }
  }
  return { type: 'nack', ...sources, sequences };
}

/** Packs the numbers in the given order; sorted ones (across the wrap) pack best. */
export function writeNack(nack: Nack): Buffer {
  const items: { packetId: number; mask: number }[] = [];
  for (const sequence of nack.sequences) {
    const item = items.at(-1);
    const distance = item === undefined ? -1 : (sequence - item.packetId) & 0xffff;
    if (item !== undefined && distance >= 1 && distance <= MASK_BITS) item.mask |= 1 << (distance - 1);
    else if (distance !== 0) items.push({ packetId: sequence & 0xffff, mask: 0 });
  }
  const packet = allocateFeedback(
    RTCP_TYPE.transportFeedback,
    TRANSPORT_FEEDBACK_FORMAT.nack,
    nack,
    items.length * ITEM_BYTES,
  );
  items.forEach((item, index) => {
    packet.writeUInt16BE(item.packetId, FEEDBACK_CONTROL_OFFSET + index * ITEM_BYTES);
    packet.writeUInt16BE(item.mask, FEEDBACK_CONTROL_OFFSET + index * ITEM_BYTES + 2);
  });
  return packet;
}
