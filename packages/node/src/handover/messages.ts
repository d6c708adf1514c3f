import { TRANSFER_FRAGMENTS_MAX } from '../limits.js';

/** What source and target of a move tell each other over their link. `epoch` is the target's. */
export type HandoverMessage =
  /** Target to source: the client has nominated the target's address. */
  | { readonly kind: 'pathNominated'; readonly moveId: string; readonly epoch: number }
  /** Source to target: authenticated media has come over the target's path, from the address that it calls `pathId`. */
  | { readonly kind: 'pathProven'; readonly moveId: string; readonly epoch: number; readonly pathId: number }
  /** Source to target: one piece of the sealed state. The first byte ever sent ends the source's indices below N+L. */
  | {
      readonly kind: 'transfer';
      readonly moveId: string;
      readonly epoch: number;
      readonly fragment: number;
      readonly fragments: number;
      readonly bytes: Buffer;
    }
  /** Target to source: the state is in force. */
  | { readonly kind: 'accepted'; readonly moveId: string; readonly epoch: number }
  /** Target to source: it will never be; the target keeps a tombstone. */
  | { readonly kind: 'refused'; readonly moveId: string; readonly epoch: number }
  /** Source to target: my keys are gone, the ceiling is lifted. */
  | { readonly kind: 'release'; readonly moveId: string; readonly epoch: number }
  | { readonly kind: 'released'; readonly moveId: string; readonly epoch: number }
  /** Source to target: the move is off; the source owns the transport (again), in `ownerEpoch`. */
  | { readonly kind: 'abort'; readonly moveId: string; readonly epoch: number; readonly ownerEpoch: number }
  | { readonly kind: 'forgotten'; readonly moveId: string; readonly epoch: number };

/** Kinds that say no more than move and epoch. */
export type PlainMessageKind = Exclude<HandoverMessage['kind'], 'pathProven' | 'transfer' | 'abort'>;

const KINDS = [
  'pathNominated',
  'pathProven',
  'transfer',
  'accepted',
  'refused',
  'release',
  'released',
  'abort',
  'forgotten',
] as const satisfies readonly HandoverMessage['kind'][];

/** First byte of a link message that carries a handover message. */
export const HANDOVER_MESSAGE_CLASS = 1;

const HEADER_BYTES = 14;
const FRAGMENT_HEADER_BYTES = 4;
const OWNER_EPOCH_BYTES = 4;
const PATH_ID_BYTES = 4;

/**
 * Class, kind, move id (8 bytes), epoch (u32). A transfer adds fragment and fragments (u16 each) and its bytes, an abort
 * the owner's epoch (u32), a proof the path id (u32).
 */
export function encodeHandoverMessage(message: HandoverMessage): Buffer {
  const out = Buffer.alloc(HEADER_BYTES + tailBytes(message));
  out[0] = HANDOVER_MESSAGE_CLASS;
  out[1] = KINDS.indexOf(message.kind);
  out.write(message.moveId, 2, 'hex');
  out.writeUInt32BE(message.epoch, 10);
  if (message.kind === 'transfer') {
    out.writeUInt16BE(message.fragment, HEADER_BYTES);
    out.writeUInt16BE(message.fragments, HEADER_BYTES + 2);
    message.bytes.copy(out, HEADER_BYTES + FRAGMENT_HEADER_BYTES);
  } else if (message.kind === 'abort') {
    out.writeUInt32BE(message.ownerEpoch, HEADER_BYTES);
  } else if (message.kind === 'pathProven') {
    out.writeUInt32BE(message.pathId, HEADER_BYTES);
  }
  return out;
}

function tailBytes(message: HandoverMessage): number {
  switch (message.kind) {
    case 'transfer':
      return FRAGMENT_HEADER_BYTES + message.bytes.length;
    case 'abort':
      return OWNER_EPOCH_BYTES;
    case 'pathProven':
      return PATH_ID_BYTES;
    default:
      return 0;
  }
}

/** Null for anything malformed: links are authenticated, but a peer of another version may err. */
export function decodeHandoverMessage(bytes: Buffer): HandoverMessage | null {
  if (bytes.length < HEADER_BYTES || bytes[0] !== HANDOVER_MESSAGE_CLASS) return null;
  const kind = KINDS[bytes.readUInt8(1)];
  if (kind === undefined) return null;
  const moveId = bytes.toString('hex', 2, 10);
  const epoch = bytes.readUInt32BE(10);
  if (kind === 'abort') {
    const isWhole = bytes.length === HEADER_BYTES + OWNER_EPOCH_BYTES;
    return isWhole ? { kind, moveId, epoch, ownerEpoch: bytes.readUInt32BE(HEADER_BYTES) } : null;
  }
  if (kind === 'pathProven') {
    const isWhole = bytes.length === HEADER_BYTES + PATH_ID_BYTES;
    return isWhole ? { kind, moveId, epoch, pathId: bytes.readUInt32BE(HEADER_BYTES) } : null;
  }
  if (kind !== 'transfer') return bytes.length === HEADER_BYTES ? { kind, moveId, epoch } : null;
  if (bytes.length <= HEADER_BYTES + FRAGMENT_HEADER_BYTES) return null;
  const fragment = bytes.readUInt16BE(HEADER_BYTES);
  const fragments = bytes.readUInt16BE(HEADER_BYTES + 2);
  if (fragments === 0 || fragments > TRANSFER_FRAGMENTS_MAX || fragment >= fragments) return null;
  return {
    kind,
    moveId,
    epoch,
    fragment,
    fragments,
    bytes: Buffer.from(bytes.subarray(HEADER_BYTES + FRAGMENT_HEADER_BYTES)),
  };
}
