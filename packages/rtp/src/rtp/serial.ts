/** Serial-number arithmetic of RTP (RFC 3550 A.1, RFC 1982) and 48-bit SRTP indices (RFC 3711 3.3.1). */

/** Steps from one 16-bit sequence number to another, -32768..32767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** True when `sequence` comes after `reference`, across the wrap. */
export function isSequenceNewer(sequence: number, reference: number): boolean {
  return sequenceDistance(reference, sequence) > 0;
}

/** Steps from one 32-bit timestamp to another, -2^31..2^31-1. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** Largest SRTP index. */
export const SRTP_INDEX_MAX = 2 ** 48 - 1;

/**
 * The 48-bit index (rollover counter * 2^16 + sequence) nearest to the highest one seen (RFC 3711 appendix A).
 * Pass a negative `highestIndex` when nothing was seen yet: the rollover counter then starts at 0. A negative result
 * is a packet from before index 0, which no sender made.
 */
export function extendSequence(highestIndex: number, sequence: number): number {
  if (highestIndex < 0) return sequence;
  return highestIndex + sequenceDistance(highestIndex % 0x10000, sequence);
}

/** Low 16 bits of an index: the sequence number on the wire. */
export function indexSequence(index: number): number {
  return index % 0x10000;
}

/** Upper 32 bits of an index: the SRTP rollover counter. */
export function indexRollover(index: number): number {
  return Math.floor(index / 0x10000);
}
