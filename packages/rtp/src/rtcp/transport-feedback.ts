import { TRANSPORT_FEEDBACK_STATUSES_MAX } from '../limits.js';
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
import { readStatusChunks, STATUS, writeStatusChunks } from './status-chunks.js';
import type { PacketStatus } from './status-chunks.js';

/** Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01). */
export interface TransportFeedback extends FeedbackSources {
  readonly type: 'transportFeedback';
  /** Transport-wide number that the first status is about. */
  readonly baseSequence: number;
  /** 8 bits, grows with each feedback. */
  readonly feedbackCount: number;
  /** 24 bits, units of REFERENCE_TIME_MICROS. */
  readonly referenceTime: number;
  /**
   * One entry for each number from baseSequence on: microseconds after the reference time, a multiple of
   * DELTA_MICROS; null when it has not arrived.
   */
  readonly arrivalsMicros: readonly (number | null)[];
}

export const REFERENCE_TIME_MICROS = 64_000;
export const DELTA_MICROS = 250;
const FIXED_BYTES = 8;
const SMALL_DELTA_MAX = 0xff;
const LARGE_DELTA_MAX = 0x7fff;
const LARGE_DELTA_MIN = -0x8000;

/** True when one arrival may follow another in the same feedback: the step fits its 16 bits. */
export function isDeltaRepresentable(fromMicros: number, toMicros: number): boolean {
  const ticks = Math.round((toMicros - fromMicros) / DELTA_MICROS);
  return ticks <= LARGE_DELTA_MAX && ticks >= LARGE_DELTA_MIN;
}

/** Null when malformed, or with more than TRANSPORT_FEEDBACK_STATUSES_MAX statuses. */
export function parseTransportFeedback({ body }: RtcpFrame): TransportFeedback | null {
  const sources = readFeedbackSources(body);
  const start = FEEDBACK_SSRCS_BYTES;
  if (sources === null || body.length < start + FIXED_BYTES) return null;
  const statusCount = body.readUInt16BE(start + 2);
  if (statusCount === 0 || statusCount > TRANSPORT_FEEDBACK_STATUSES_MAX) return null;
  const chunks = readStatusChunks(body, start + FIXED_BYTES, statusCount);
  if (chunks === null) return null;
  const arrivalsMicros = readDeltas(body, chunks.end, chunks.statuses);
  if (arrivalsMicros === null) return null;
  return {
    type: 'transportFeedback',
    ...sources,
    baseSequence: body.readUInt16BE(start),
    referenceTime: body.readUIntBE(start + 4, 3),
    feedbackCount: body.readUInt8(start + 7),
    arrivalsMicros,
  };
}

function readDeltas(body: Buffer, from: number, statuses: readonly PacketStatus[]): (number | null)[] | null {
  const arrivals: (number | null)[] = [];
  let at = from;
  let micros = 0;
  for (const status of statuses) {
    if (status === STATUS.lost) {
      arrivals.push(null);
      continue;
    }
    const bytes = status === STATUS.smallDelta ? 1 : 2;
    if (at + bytes > body.length) return null;
    micros += (status === STATUS.smallDelta ? body.readUInt8(at) : body.readInt16BE(at)) * DELTA_MICROS;
    arrivals.push(micros);
    at += bytes;
  }
  return arrivals;
}

/** Rounds arrivals to DELTA_MICROS. Throws RangeError on a step that does not fit: see isDeltaRepresentable. */
export function writeTransportFeedback(feedback: TransportFeedback): Buffer {
  const deltas = toDeltas(feedback.arrivalsMicros);
  const statuses = deltas.map(statusOf);
  const chunks = writeStatusChunks(statuses);
  const deltaBytes = statuses.reduce<number>((total, status) => total + status, 0);
  const controlBytes = (FIXED_BYTES + chunks.length * 2 + deltaBytes + 3) & ~3;
  const packet = allocateFeedback(
    RTCP_TYPE.transportFeedback,
    TRANSPORT_FEEDBACK_FORMAT.transportCc,
    feedback,
    controlBytes,
  );
  let at = packet.writeUInt16BE(feedback.baseSequence, FEEDBACK_CONTROL_OFFSET);
  at = packet.writeUInt16BE(feedback.arrivalsMicros.length, at);
  at = packet.writeUIntBE(feedback.referenceTime, at, 3);
  at = packet.writeUInt8(feedback.feedbackCount, at);
  for (const chunk of chunks) at = packet.writeUInt16BE(chunk, at);
  for (const delta of deltas) {
    if (delta === null) continue;
    at =
      statusOf(delta) === STATUS.smallDelta ? packet.writeUInt8(delta, at) : packet.writeInt16BE(delta, at);
  }
  return packet;
}

/** Steps in ticks. Each is taken from the rounded time before it, so that rounding does not add up. */
function toDeltas(arrivalsMicros: readonly (number | null)[]): (number | null)[] {
  let ticks = 0;
  return arrivalsMicros.map((micros) => {
    if (micros === null) return null;
    const delta = Math.round(micros / DELTA_MICROS) - ticks;
    ticks += delta;
    return delta;
  });
}

/** The numeric value of a status is also the bytes that its delta takes. */
function statusOf(delta: number | null): PacketStatus {
  if (delta === null) return STATUS.lost;
  return delta >= 0 && delta <= SMALL_DELTA_MAX ? STATUS.smallDelta : STATUS.largeDelta;
}
