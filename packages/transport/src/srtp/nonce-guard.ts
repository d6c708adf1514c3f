import { GUARD_WINDOW_BITS, SSRC_CONTEXTS_MAX, type FrozenSend, type Grant } from '@godwit/datapath';
import { IndexWindow } from './index-window.js';

/** Refusals of the guard. Negative, so that they share a return value with lengths. */
export const GUARD_BELOW_FLOOR = -1;
export const GUARD_ABOVE_CEILING = -2;
export const GUARD_REUSED = -3;

export type GuardCode = typeof GUARD_BELOW_FLOOR | typeof GUARD_ABOVE_CEILING | typeof GUARD_REUSED;
export type GuardRefusal = 'belowFloor' | 'aboveCeiling' | 'reused';

export function guardRefusal(code: GuardCode): GuardRefusal {
  switch (code) {
    case GUARD_BELOW_FLOOR:
      return 'belowFloor';
    case GUARD_ABOVE_CEILING:
      return 'aboveCeiling';
    case GUARD_REUSED:
      return 'reused';
  }
}

/** Indices of one SSRC under one key: [floor, ceiling), and what of them was used. */
interface IndexSpace {
  floor: number;
  ceiling: number;
  readonly used: IndexWindow;
}

/** Indices [floor, ceiling) of one SSRC. */
export interface IndexRange {
  readonly ssrc: number;
  readonly floor: number;
  readonly ceiling: number;
}

type GuardState =
  /** Every index of every SSRC, new ones too. */
  | 'open'
  /** Only what a grant opened: SSRCs that the state named, below their ceilings. */
  | 'granted'
  /** Handed over (or closed): nothing. */
  | 'frozen'
  | 'closed';

/**
 * Keeps every nonce unique (HANDOVER 3). One guard stands before one key: every encryption asks {@link admit} first,
 * and an index admitted once is never admitted again, by this guard or by one thawed from its state.
 *
 * Spaces are never forgotten within the life of a key: a new stream needs a new SSRC.
 */
export class NonceGuard {
  #state: GuardState = 'open';
  readonly #spaces = new Map<number, IndexSpace>();
  readonly #indexLimit: number;

  /** @param indexLimit one more than the largest index of the space: 2^48 for SRTP, 2^31 for SRTCP */
  constructor(indexLimit: number) {
    this.#indexLimit = indexLimit;
  }

  /** The guard of a new owner: [nextIndex, nextIndex + grant.count) of each SSRC named, no other SSRC. */
  static thaw(indexLimit: number, frozen: readonly FrozenSend[], grant: Grant): NonceGuard {
    const guard = new NonceGuard(indexLimit);
    if (frozen.length > SSRC_CONTEXTS_MAX) throw new RangeError('too many SSRCs in the state');
    for (const { ssrc, nextIndex } of frozen) {
      if (guard.#spaces.has(ssrc)) throw new RangeError(`SSRC ${ssrc} is named twice in the state`);
      assertIndex(nextIndex, indexLimit);
      guard.#spaces.set(ssrc, newSpace(nextIndex, indexLimit));
    }
    guard.#grant(grant);
    return guard;
  }

  /** True while a grant limits this owner: its state is of no use to a next owner until {@link liftCeiling}. */
  get isLimited(): boolean {
    return this.#state === 'granted';
  }

  /** Marks the index as used and returns 0, or returns why it must not be used and changes nothing. */
  admit(ssrc: number, index: number): 0 | GuardCode {
    if (this.#state === 'frozen' || this.#state === 'closed') return GUARD_ABOVE_CEILING;
    const space = this.#spaces.get(ssrc) ?? this.#create(ssrc);
    if (space === null || index >= space.ceiling) return GUARD_ABOVE_CEILING;
    if (index < space.floor || space.used.isStale(index)) return GUARD_BELOW_FLOOR;
    if (space.used.has(index)) return GUARD_REUSED;
    space.used.add(index);
    return 0;
  }

  /** Lowest index above everything used; null for an SSRC never used. */
  nextIndex(ssrc: number): number | null {
    const space = this.#spaces.get(ssrc);
    return space === undefined ? null : nextOf(space);
  }

  /** What may still be used of each SSRC: empty for an owner that has stopped. For audits. */
  ranges(): IndexRange[] {
    if (this.#state !== 'open' && this.#state !== 'granted') return [];
    return Array.from(this.#spaces, ([ssrc, { floor, ceiling }]) => ({ ssrc, floor, ceiling }));
  }

  /**
   * Stops this owner and returns the high-water marks. Throws when it is stopped already. A limited owner has nothing
   * to give: what it passed on would reach beyond its own ceiling, into what its source may use. Its marks are the end
   * of every space, and it cannot be resumed.
   */
  freeze(): FrozenSend[] {
    if (this.#state !== 'open' && this.#state !== 'granted') {
      throw new Error(`a guard that is ${this.#state} cannot be frozen`);
    }
    const isExhausted = this.#state === 'granted';
    this.#state = isExhausted ? 'closed' : 'frozen';
    return Array.from(this.#spaces, ([ssrc, space]) => ({
      ssrc,
      nextIndex: isExhausted ? this.#indexLimit : nextOf(space),
    }));
  }

  /** The frozen owner goes on `skip` indices above what freeze returned, within the grant. */
  resume(skip: number, grant: Grant): void {
    if (this.#state !== 'frozen') throw new Error(`a guard that is ${this.#state} cannot be resumed`);
    if (!Number.isSafeInteger(skip) || skip < 0) throw new RangeError('skip must be a count of indices');
    for (const space of this.#spaces.values()) space.floor = Math.min(nextOf(space) + skip, this.#indexLimit);
    this.#grant(grant);
  }

  /**
   * No other owner is left: everything from the floors on, and new SSRCs. With `skip` a limited owner goes on that many
   * indices above each ceiling: they are left to another owner that may live after all.
   */
  liftCeiling(skip = 0): void {
    if (this.#state !== 'granted' && this.#state !== 'open') {
      throw new Error(`a guard that is ${this.#state} has no ceiling to lift`);
    }
    if (!Number.isSafeInteger(skip) || skip < 0) throw new RangeError('skip must be a count of indices');
    const isJump = this.#state === 'granted' && skip > 0;
    this.#state = 'open';
    for (const space of this.#spaces.values()) {
      if (isJump) space.floor = Math.min(space.ceiling + skip, this.#indexLimit);
      space.ceiling = this.#indexLimit;
    }
  }

  /** Refuses everything from now on: the key is gone. */
  close(): void {
    this.#state = 'closed';
  }

  #grant(grant: Grant): void {
    const { count } = grant;
    if (count !== null && (!Number.isSafeInteger(count) || count < 0)) {
      throw new RangeError('a grant is a count of indices');
    }
    this.#state = count === null ? 'open' : 'granted';
    for (const space of this.#spaces.values()) {
      space.ceiling = count === null ? this.#indexLimit : Math.min(space.floor + count, this.#indexLimit);
    }
  }

  #create(ssrc: number): IndexSpace | null {
    if (this.#state !== 'open' || this.#spaces.size >= SSRC_CONTEXTS_MAX) return null;
    const space = newSpace(0, this.#indexLimit);
    this.#spaces.set(ssrc, space);
    return space;
  }
}

function newSpace(floor: number, ceiling: number): IndexSpace {
  return { floor, ceiling, used: new IndexWindow(GUARD_WINDOW_BITS) };
}

function nextOf(space: IndexSpace): number {
  return Math.max(space.floor, space.used.highest + 1);
}

function assertIndex(index: number, indexLimit: number): void {
  if (!Number.isSafeInteger(index) || index < 0 || index > indexLimit) {
    throw new RangeError('the state holds an index outside its space');
  }
}
