import type { MoveFailure, MoveMeasures, MoveOutcome } from '@godwit/protocol';
import type { HandoverMessage } from './messages.js';

export interface SourceMoveOptions {
  readonly moveId: string;
  readonly transportId: string;
  /** The epoch in which we own the transport when the move starts. */
  readonly currentEpoch: number;
  /** The epoch that the target gets; `returnEpoch` is reserved for us. */
  readonly epoch: number;
  readonly returnEpoch: number;
  readonly targetNodeId: string;
  /** Everything but the transfer. */
  readonly rehearsal: boolean;
}

/** What the source must do now, in this order. */
export type SourceMoveOutput =
  /** Where outgoing ciphertext goes. */
  | { readonly kind: 'usePaths'; readonly paths: 'own' | 'both' | 'target' }
  | { readonly kind: 'watchTargetPath' }
  | { readonly kind: 'watchOwnPath' }
  /** Freeze the transport at once and give the sealed state to `frozen`; what arrives from now on is the target's. */
  | { readonly kind: 'freeze' }
  | { readonly kind: 'send'; readonly message: HandoverMessage }
  /** The target owns the transport: destroy the keys, send on what still arrives. */
  | { readonly kind: 'handOff' }
  /** Own the transport again, as returnEpoch, from `skip` indices above the frozen ones. */
  | { readonly kind: 'takeBack'; readonly skip: number; readonly count: number }
  /** Own the transport as `epoch` from now on: control's word. */
  | { readonly kind: 'ownAs'; readonly epoch: number }
  /** Ask control for the word that the target does not give. */
  | { readonly kind: 'askRelease' }
  /** The same while the state is on its way and nobody owns: take back, or hand over. */
  | { readonly kind: 'askAnswer' }
  | { readonly kind: 'reportProven'; readonly measures: MoveMeasures }
  | { readonly kind: 'reportPathReturned' }
  | {
      readonly kind: 'reportEnded';
      readonly outcome: MoveOutcome;
      readonly failure?: MoveFailure;
      readonly owner: 'source' | 'target';
      readonly epoch: number;
      readonly measures: MoveMeasures;
    }
  /** Nothing of the move is needed any more. After a hand-off this forgets the transport too. */
  | { readonly kind: 'done' };

export type SourceMoveState =
  | { readonly name: 'proving'; duplicatesUntilMs: number | null }
  /** A rehearsal that has reached its end and waits to be sent home. */
  | { readonly name: 'proven' }
  | { readonly name: 'returning' }
  /** Proven, and waiting for a moment without holes in what the client receives. */
  | { readonly name: 'settling'; readonly untilMs: number }
  | { readonly name: 'freezing' }
  | {
      readonly name: 'transferring';
      sealed: readonly Buffer[];
      frozenAtMs: number;
      nextSendMs: number;
      nextAskMs: number;
      attempts: number;
    }
  | { readonly name: 'releasing'; untilMs: number; nextSendMs: number }
  | { readonly name: 'lingering'; untilMs: number }
  /** `ownerEpoch` is ours. A transport that was taken back is limited until the target's answer or control's word. */
  | {
      readonly name: 'aborting';
      readonly ownerEpoch: number;
      readonly isLimited: boolean;
      untilMs: number;
      nextSendMs: number;
      nextAskMs: number;
    }
  | { readonly name: 'done' };
