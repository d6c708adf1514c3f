import type { FrozenMedia, TransportId } from '@godwit/datapath';
import type { FrozenIce } from '../ice/index.js';

/** Transport-cc feedback towards a publisher: its estimator must not see a jump of the clock. */
export interface FrozenFeedback {
  /** Feedback packet count, 8 bits. */
  readonly feedbackCount: number;
  /** Number after the last one reported; null before the first report. */
  readonly nextSequence: number | null;
  /** The feedback clock at freeze, microseconds. */
  readonly clockMicros: number;
}

/**
 * Everything with which another node goes on with a transport (HANDOVER 4). Times are ages or values of the
 * transport's own clocks, never absolute. Key bytes are in Buffers; whoever decoded the state zeroes them.
 */
export interface PortableTransport {
  /** Layout in which it is written. */
  readonly schema: number;
  readonly transportId: TransportId;
  /** Epoch of the new owner. */
  readonly epoch: number;
  readonly ice: FrozenIce;
  readonly media: FrozenMedia;
  /** Null when the transport gives no feedback. */
  readonly feedback: FrozenFeedback | null;
}

/** Why bytes are no state that this node takes. */
export type StateRefusal =
  | 'tooLarge'
  | 'notAState'
  /** Written by a newer or a much older node: schemas are agreed on before. */
  | 'unsupportedSchema'
  /** Not JSON, an unknown field, a value out of range. */
  | 'invalidHeader'
  /** Keys, windows or arrivals do not fit the header. */
  | 'invalidBody';
