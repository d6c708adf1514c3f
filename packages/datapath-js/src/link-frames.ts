import type { PathId } from '@godwit/datapath';

/**
 * What stands inside a sealed link frame. First byte: kind. Numbers are big endian; ids of transports and streams are
 * their 8 bytes.
 *
 *   media      stream id, ingress epoch (u32), encoding (u8), index (u48), RTP in the publisher's numbering
 *   fromClient transport id, flags (u8), arrival by the sender's clock (u64 microseconds), path id (u32), SRTP or SRTCP
 *   toClient   transport id, proven path id or 0 (u32), SRTP or SRTCP
 *   repair     stream id, encoding (u8), indices (u48 each)
 *   message    bytes
 */
export const FRAME_MEDIA = 1;
export const FRAME_FROM_CLIENT = 2;
export const FRAME_TO_CLIENT = 3;
export const FRAME_REPAIR = 4;
export const FRAME_MESSAGE = 5;

export const MEDIA_HEADER_BYTES = 20;
export const FROM_CLIENT_HEADER_BYTES = 22;
export const TO_CLIENT_HEADER_BYTES = 13;
export const REPAIR_HEADER_BYTES = 10;
export const REPAIR_INDEX_BYTES = 6;
export const MESSAGE_HEADER_BYTES = 1;
/** The longest of the fixed headers above. */
export const FRAME_HEADER_BYTES_MAX = FROM_CLIENT_HEADER_BYTES;

const ID_BYTES = 8;
const BOUNCED_FLAG = 1;

export interface MediaHeader {
  readonly streamId: string;
  readonly ingressEpoch: number;
  readonly encodingId: number;
  readonly index: number;
}

/** Each `write` returns the header's length. */
export function writeMediaHeader(
  target: Buffer,
  streamIdBytes: Buffer,
  ingressEpoch: number,
  encodingId: number,
  index: number,
): number {
  target[0] = FRAME_MEDIA;
  streamIdBytes.copy(target, 1);
  target.writeUInt32BE(ingressEpoch, 9);
  target[13] = encodingId;
  target.writeUIntBE(index, 14, 6);
  return MEDIA_HEADER_BYTES;
}

/** Null when too short. */
export function readMediaHeader(frame: Buffer): MediaHeader | null {
  if (frame.length < MEDIA_HEADER_BYTES) return null;
  return {
    streamId: frame.toString('hex', 1, 1 + ID_BYTES),
    ingressEpoch: frame.readUInt32BE(9),
    encodingId: frame[13] ?? 0,
    index: frame.readUIntBE(14, 6),
  };
}

export interface FromClientHeader {
  readonly transportId: string;
  /** It comes back from a node to which we had sent it, or may do so. */
  readonly isBounced: boolean;
  readonly arrivedAtMicros: number;
  /** The sender's name for the address from which the packet came; 0 when it came from none of its own. */
  readonly pathId: PathId;
}

export function writeFromClientHeader(
  target: Buffer,
  transportIdBytes: Buffer,
  isBounced: boolean,
  arrivedAtMicros: number,
  pathId: PathId,
): number {
  const micros = Math.max(0, Math.floor(arrivedAtMicros));
  target[0] = FRAME_FROM_CLIENT;
  transportIdBytes.copy(target, 1);
  target[9] = isBounced ? BOUNCED_FLAG : 0;
  target.writeUInt32BE(Math.floor(micros / 2 ** 32), 10);
  target.writeUInt32BE(micros % 2 ** 32, 14);
  target.writeUInt32BE(pathId, 18);
  return FROM_CLIENT_HEADER_BYTES;
}

export function readFromClientHeader(frame: Buffer): FromClientHeader | null {
  if (frame.length < FROM_CLIENT_HEADER_BYTES) return null;
  return {
    transportId: frame.toString('hex', 1, 1 + ID_BYTES),
    isBounced: ((frame[9] ?? 0) & BOUNCED_FLAG) !== 0,
    arrivedAtMicros: frame.readUInt32BE(10) * 2 ** 32 + frame.readUInt32BE(14),
    pathId: frame.readUInt32BE(18),
  };
}

export interface ToClientHeader {
  readonly transportId: string;
  /** The receiver's path of which the owner has proof; 0: none. */
  readonly provenPathId: PathId;
}

export function writeToClientHeader(target: Buffer, transportIdBytes: Buffer, provenPathId: PathId): number {
  target[0] = FRAME_TO_CLIENT;
  transportIdBytes.copy(target, 1);
  target.writeUInt32BE(provenPathId, 9);
  return TO_CLIENT_HEADER_BYTES;
}

export function readToClientHeader(frame: Buffer): ToClientHeader | null {
  if (frame.length < TO_CLIENT_HEADER_BYTES) return null;
  return {
    transportId: frame.toString('hex', 1, 1 + ID_BYTES),
    provenPathId: frame.readUInt32BE(9),
  };
}

export function writeRepairHeader(target: Buffer, streamIdBytes: Buffer, encodingId: number): number {
  target[0] = FRAME_REPAIR;
  streamIdBytes.copy(target, 1);
  target[9] = encodingId;
  return REPAIR_HEADER_BYTES;
}

/** Null when too short; indices beyond `indicesMax` are ignored. */
export function readRepair(
  frame: Buffer,
  indicesMax: number,
): { streamId: string; encodingId: number; indices: number[] } | null {
  if (frame.length < REPAIR_HEADER_BYTES) return null;
  const indices: number[] = [];
  for (let at = REPAIR_HEADER_BYTES; at + REPAIR_INDEX_BYTES <= frame.length; at += REPAIR_INDEX_BYTES) {
    if (indices.length >= indicesMax) break;
    indices.push(frame.readUIntBE(at, REPAIR_INDEX_BYTES));
  }
  return { streamId: frame.toString('hex', 1, 1 + ID_BYTES), encodingId: frame[9] ?? 0, indices };
}
