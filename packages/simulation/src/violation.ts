/** What must hold at every step. */
export type Invariant =
  /** No (key, SSRC, index) is encrypted twice, by whomever. */
  | 'nonce-used-once'
  /** What the guards of two owners still allow does not overlap. */
  | 'ranges-disjoint'
  | 'one-owner-per-epoch'
  /** A live transport has an owner again within OWNERLESS_MS_MAX of the last fault. */
  | 'owned-in-time'
  /** With a network that loses nothing, every packet arrives, once. */
  | 'nothing-lost'
  | 'nothing-doubled'
  /** Every move ends, with an outcome that the faults of its run allow. */
  | 'moves-end'
  /** After the faults: control's record names the one owner. */
  | 'record-agrees'
  | 'one-owner-at-last'
  | 'media-flows'
  | 'nothing-left-behind'
  /** The code under simulation threw, or logged an error that can only be a bug. */
  | 'no-internal-error';

/** A broken invariant. */
export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`);
    this.name = 'Violation';
    this.invariant = invariant;
  }
}
