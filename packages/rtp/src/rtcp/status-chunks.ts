/** Packet status chunks of transport-cc feedback (draft-holmer section 3.1.3 and 3.1.4): 16 bits each. */

/** Packet status symbols (section 3.1.1). The value is also the bytes that the packet's delta takes. */
export const STATUS = { lost: 0, smallDelta: 1, largeDelta: 2 } as const;
export type PacketStatus = (typeof STATUS)[keyof typeof STATUS];

const VECTOR_BIT = 0x8000;
const TWO_BIT_SYMBOLS_BIT = 0x4000;
const RUN_LENGTH_MAX = 0x1fff;
const ONE_BIT_SYMBOLS = 14;
const TWO_BIT_SYMBOLS = 7;

/** Reads chunks until `count` statuses are known; null when they do not suffice or use the reserved symbol. */
export function readStatusChunks(
  body: Buffer,
  from: number,
  count: number,
): { readonly statuses: PacketStatus[]; readonly end: number } | null {
  const statuses: PacketStatus[] = [];
  let at = from;
  while (statuses.length < count) {
    if (at + 2 > body.length) return null;
    if (!readChunk(body.readUInt16BE(at), statuses, count)) return null;
    at += 2;
  }
  return { statuses, end: at };
}

function readChunk(chunk: number, statuses: PacketStatus[], count: number): boolean {
  if ((chunk & VECTOR_BIT) === 0) {
    const status = toStatus((chunk >>> 13) & 0x03);
    const length = Math.min(chunk & RUN_LENGTH_MAX, count - statuses.length);
    // A run of none would let a sender spin the reader.
    if (status === null || length === 0) return false;
    for (let index = 0; index < length; index += 1) statuses.push(status);
    return true;
  }
  const twoBit = (chunk & TWO_BIT_SYMBOLS_BIT) !== 0;
  const symbols = Math.min(twoBit ? TWO_BIT_SYMBOLS : ONE_BIT_SYMBOLS, count - statuses.length);
  for (let index = 0; index < symbols; index += 1) {
    const status = toStatus(twoBit ? (chunk >>> (12 - index * 2)) & 0x03 : (chunk >>> (13 - index)) & 0x01);
    if (status === null) return false;
    statuses.push(status);
  }
  return true;
}

function toStatus(symbol: number): PacketStatus | null {
  return symbol === STATUS.lost || symbol === STATUS.smallDelta || symbol === STATUS.largeDelta
    ? symbol
    : null;
}

/** At each step takes the kind of chunk that covers most packets. */
export function writeStatusChunks(statuses: readonly PacketStatus[]): number[] {
  const chunks: number[] = [];
  let at = 0;
  while (at < statuses.length) {
    const run = runLength(statuses, at);
    const oneBit = statuses.slice(at, at + ONE_BIT_SYMBOLS);
    const oneBitFits = !oneBit.includes(STATUS.largeDelta);
    if (run >= (oneBitFits ? oneBit.length : Math.min(TWO_BIT_SYMBOLS, oneBit.length))) {
      chunks.push(((statuses[at] ?? STATUS.lost) << 13) | run);
      at += run;
    } else if (oneBitFits) {
      chunks.push(VECTOR_BIT | packSymbols(oneBit, 1));
      at += oneBit.length;
    } else {
      const twoBit = statuses.slice(at, at + TWO_BIT_SYMBOLS);
      chunks.push(VECTOR_BIT | TWO_BIT_SYMBOLS_BIT | packSymbols(twoBit, 2));
      at += twoBit.length;
    }
  }
  return chunks;
}

function runLength(statuses: readonly PacketStatus[], from: number): number {
  let end = from + 1;
  while (end < statuses.length && end - from < RUN_LENGTH_MAX && statuses[end] === statuses[from]) end += 1;
  return end - from;
}

function packSymbols(symbols: readonly PacketStatus[], bits: 1 | 2): number {
  return symbols.reduce<number>(
    (packed, symbol, index) => packed | (symbol << (ONE_BIT_SYMBOLS - bits * (index + 1))),
    0,
  );
}
