import { z } from 'zod';
import { id64 } from './media.js';

/** How the client is told of the new address: a higher-priority candidate, or a server-offered ICE restart. */
export const pathMethod = z.enum(['candidate', 'restart']);
export type PathMethod = z.infer<typeof pathMethod>;

/** How the move of one transport ended. */
export const moveOutcome = z.enum(['completed', 'rehearsed', 'cancelled', 'failed']);
export type MoveOutcome = z.infer<typeof moveOutcome>;

/** Why a move did not complete. */
export const moveFailure = z.enum([
  'target-refused',
  'target-unreachable',
  'relays-not-ready',
  'no-fresh-address',
  'no-common-schema',
  'path-not-proven',
  'path-did-not-return',
  'transfer-refused',
  'transfer-timeout',
  'transport-closed',
  'source-lost',
  'not-connected',
  'cancelled',
]);
export type MoveFailure = z.infer<typeof moveFailure>;

/** Times a node measured with its own clock. */
export const moveMeasures = z.object({
  /** From the start command to the first authenticated packet over the new path. */
  pathMs: z.number().nonnegative().optional(),
  /** From freeze to the target's ACCEPTED as seen by the source. */
  transferMs: z.number().nonnegative().optional(),
  stateBytes: z.number().int().nonnegative().optional(),
  bounced: z.number().int().nonnegative().optional(),
  transferAttempts: z.number().int().nonnegative().optional(),
});
export type MoveMeasures = z.infer<typeof moveMeasures>;

/** What the receiving page saw around one move (HANDOVER 10). */
export const gapReport = z.object({
  moveId: id64,
  /** Largest time between two presented frames in the window, per subscriber, ms. */
  frameGapMsMax: z.number().nonnegative().nullable(),
  /** The same over a window of equal length just before. */
  frameGapBeforeMsMax: z.number().nonnegative().nullable(),
  packetsLost: z.number().int(),
  freezeCount: z.number().int().nonnegative(),
  concealedSamples: z.number().int().nonnegative(),
  keyFramesDecoded: z.number().int().nonnegative(),
  pliCount: z.number().int().nonnegative(),
  /** Part of the window in which the page was hidden: unmeasured, not zero. */
  hiddenMs: z.number().nonnegative(),
  windowMs: z.number().positive(),
  subscribers: z.number().int().nonnegative(),
});
export type GapReport = z.infer<typeof gapReport>;

/** What a client saw when its transport died with a node and another one took its place: a loss, not a move. */
export const lossReport = z.object({
  /** From the last byte that came over the dead transport to the first over the new one. */
  silentMs: z.number().nonnegative(),
  /** Transports that were tried. */
  attempts: z.number().int().positive(),
});
export type LossReport = z.infer<typeof lossReport>;
