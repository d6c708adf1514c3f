import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GUARD_WINDOW_BITS, SSRC_CONTEXTS_MAX, type FrozenSend } from '@godwit/datapath';
import { SRTP_INDEX_LIMIT } from '../limits.js';
import { GUARD_ABOVE_CEILING, GUARD_BELOW_FLOOR, GUARD_REUSED, NonceGuard } from './nonce-guard.js';

/** Grant of a transfer in the model: small, so that random runs reach both ends of it. */
const GRANT = 8;
const SSRCS = 3;

type Step =
  | { readonly kind: 'use'; readonly owner: 0 | 1; readonly ssrc: number; readonly distance: number }
  | {
      readonly kind: 'transfer' | 'takeBack' | 'release' | 'refused' | 'sourceDeclaredDead';
      readonly owner: 0 | 1;
    };

const owner = fc.constantFrom<0 | 1>(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('use' as const),
      owner,
      ssrc: fc.nat({ max: SSRCS - 1 }),
      distance: fc.integer({ min: -4, max: GRANT }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'transfer' as const,
        'takeBack' as const,
        'release' as const,
        'refused' as const,
        'sourceDeclaredDead' as const,
      ),
      owner,
    }),
  },
);

/**
 * Two nodes and one key. What a node does is decided by HANDOVER 2 alone: transfer needs an open guard, take-back
 * skips the grant and gets as much again, RELEASE ends the source and opens the target. A take-back while the target
 * goes on is the partition; a source that was declared dead may live on inside of it, but never past its own grant.
 */
class Model {
  readonly used = new Set<string>();
  readonly #guards: (NonceGuard | null)[] = [new NonceGuard(SRTP_INDEX_LIMIT), null];
  /** The node that sent TRANSFER and has neither released nor learnt the outcome. */
  #pendingSource: 0 | 1 | null = null;
  #hasTakenBack = false;
  #isSourceDead = false;

  run(steps: readonly Step[]): void {
    for (const action of steps) this.#apply(action);
  }

  #apply(action: Step): void {
    switch (action.kind) {
      case 'use':
        return this.#use(action.owner, action.ssrc, action.distance);
      case 'transfer':
        return this.#transfer(action.owner);
      case 'takeBack':
        return this.#takeBack(action.owner);
      case 'release':
        return this.#release(action.owner);
      case 'refused':
        return this.#refused(action.owner);
      case 'sourceDeclaredDead':
        return this.#sourceDeclaredDead(action.owner);
    }
  }

  #use(node: 0 | 1, ssrc: number, distance: number): void {
    const guard = this.#guards[node];
    if (guard == null) return;
    const index = (guard.nextIndex(ssrc) ?? 0) + distance;
    if (guard.admit(ssrc, index) !== 0) return;
    const name = `${ssrc} ${index}`;
    expect(this.used.has(name), `index ${name} was used twice`).toBe(false);
    this.used.add(name);
  }

  #transfer(source: 0 | 1): void {
    const guard = this.#guards[source];
    if (guard == null || guard.isLimited || this.#pendingSource !== null) return;
    const frozen: FrozenSend[] = guard.freeze();
    this.#guards[1 - source] = NonceGuard.thaw(SRTP_INDEX_LIMIT, frozen, { count: GRANT });
    this.#pendingSource = source;
    this.#hasTakenBack = false;
  }

  #takeBack(source: 0 | 1): void {
    if (this.#pendingSource !== source || this.#hasTakenBack) return;
    this.#guards[source]?.resume(GRANT, { count: GRANT });
    this.#hasTakenBack = true;
  }

  #release(source: 0 | 1): void {
    if (this.#pendingSource !== source || this.#hasTakenBack || this.#isSourceDead) return;
    this.#guards[source]?.close();
    this.#guards[source] = null;
    this.#guards[1 - source]?.liftCeiling();
    this.#pendingSource = null;
  }

  /** The target gives up for good; the source knows that it is alone. */
  #refused(source: 0 | 1): void {
    if (this.#pendingSource !== source || this.#isSourceDead) return;
    this.#guards[1 - source]?.close();
    this.#guards[1 - source] = null;
    if (this.#hasTakenBack) this.#guards[source]?.liftCeiling();
    else this.#guards[source]?.resume(GRANT, { count: null });
    this.#pendingSource = null;
  }

  /** Control's word to the target. Control gives it to one side of a move at most. */
  #sourceDeclaredDead(source: 0 | 1): void {
    if (this.#pendingSource !== source) return;
    this.#guards[1 - source]?.liftCeiling(GRANT);
    this.#isSourceDead = true;
  }
}

describe('NonceGuard', () => {
  it('never admits an index twice, whatever two owners do', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 200 }), (steps) => new Model().run(steps)),
      { numRuns: 500 },
    );
  });

  it('leaves a dead source its range, should it live on in a partition', () => {
    const use = (node: 0 | 1, times: number): Step[] =>
      Array.from({ length: times }, () => ({ kind: 'use', owner: node, ssrc: 0, distance: 0 }));
    const by = (kind: Exclude<Step['kind'], 'use'>): Step => ({ kind, owner: 0 });
    const model = new Model();
    model.run([...use(0, 5), by('transfer'), ...use(1, 3), by('takeBack'), ...use(0, 2 * GRANT)]);
    model.run([by('sourceDeclaredDead'), ...use(1, 3 * GRANT), ...use(0, 3)]);
    expect(model.used.size).toBe(5 + 3 + GRANT + 3 * GRANT);
  });

  it('admits exactly what was not used, within its window', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3_000 }), { maxLength: 200 }), (indices) => {
        const guard = new NonceGuard(SRTP_INDEX_LIMIT);
        const used = new Set<number>();
        let highest = -1;
        for (const index of indices) {
          const isStale = index <= highest - GUARD_WINDOW_BITS;
          const expected = isStale ? GUARD_BELOW_FLOOR : used.has(index) ? GUARD_REUSED : 0;
          expect(guard.admit(1, index)).toBe(expected);
          used.add(index);
          highest = Math.max(highest, index);
        }
      }),
    );
  });

  it('ends with its index space', () => {
    const guard = NonceGuard.thaw(100, [{ ssrc: 1, nextIndex: 99 }], { count: 50 });
    expect([guard.admit(1, 99), guard.admit(1, 100)]).toEqual([0, GUARD_ABOVE_CEILING]);
  });

  it('bounds its SSRCs', () => {
    const guard = new NonceGuard(SRTP_INDEX_LIMIT);
    for (let ssrc = 0; ssrc < SSRC_CONTEXTS_MAX; ssrc += 1) expect(guard.admit(ssrc, 0)).toBe(0);
    expect(guard.admit(SSRC_CONTEXTS_MAX, 0)).toBe(GUARD_ABOVE_CEILING);
  });

  it('is strict about its life cycle', () => {
    const guard = new NonceGuard(SRTP_INDEX_LIMIT);
    expect(() => guard.resume(0, { count: null })).toThrow();
    guard.freeze();
    expect(() => guard.freeze()).toThrow();
    expect(() => guard.liftCeiling()).toThrow();
    expect(() => guard.resume(-1, { count: null })).toThrow(RangeError);
    expect(() => guard.resume(0, { count: -1 })).toThrow(RangeError);
    const twice = [
      { ssrc: 1, nextIndex: 0 },
      { ssrc: 1, nextIndex: 5 },
    ];
    expect(() => NonceGuard.thaw(SRTP_INDEX_LIMIT, twice, { count: 1 })).toThrow(RangeError);
    expect(() => NonceGuard.thaw(10, [{ ssrc: 1, nextIndex: 11 }], { count: 1 })).toThrow(RangeError);
  });
});
