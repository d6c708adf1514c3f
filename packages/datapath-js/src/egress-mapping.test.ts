import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EgressMapping } from './egress-mapping.js';

/** Sends, pauses and skips as a datapath does; returns the out index of each source index sent. */
function play(steps: readonly { pause: boolean; skip: number; run: number }[]) {
  const mapping = new EgressMapping();
  const sent = new Map<number, number>();
  let source = 1_000;
  let nextOut = 7;
  for (const { pause, skip, run } of steps) {
    if (pause) {
      mapping.isPaused = true;
      source += 10;
    }
    if (sent.size > 0) nextOut += skip;
    mapping.skip(skip);
    for (let packet = 0; packet < run; packet += 1, source += 1) {
      if (mapping.isBeginning(source)) mapping.begin(source, nextOut);
      sent.set(source, mapping.toOut(source));
      mapping.advance(source);
      nextOut = mapping.lastOutIndex + 1;
    }
  }
  return { mapping, sent, last: source };
}

const steps = fc.array(
  fc.record({ pause: fc.boolean(), skip: fc.constantFrom(0, 0, 100), run: fc.integer({ min: 1, max: 20 }) }),
  { minLength: 1, maxLength: 5 },
);

describe('EgressMapping', () => {
  it('never gives an out index twice and finds its way back', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { mapping, sent, last } = play(script);
        expect(new Set(sent.values()).size).toBe(sent.size);
        for (const [source, out] of sent) expect(mapping.toSource(out)).toBe(source);
        for (let source = 990; source < last; source += 1) {
          expect(mapping.toOut(source)).toBe(sent.get(source) ?? -1);
        }
      }),
    );
  });

  it('names no source for an out index under which nothing was sent', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { mapping, sent } = play(script);
        const outs = new Set(sent.values());
        for (let out = 0; out < mapping.lastOutIndex + 50; out += 1) {
          if (!outs.has(out)) expect(mapping.toSource(out)).toBe(-1);
        }
      }),
    );
  });

  // The source takes the transport back twice, and no packet of the stream comes between.
  it('gives a state that the next owner can use after two skips in a row', () => {
    const mapping = new EgressMapping();
    mapping.begin(1_000, 7);
    mapping.skip(100);
    mapping.skip(100);
    const { lastSourceIndex, mappings } = mapping.freeze(1_000);
    expect(mappings.map(({ fromSourceIndex }) => fromSourceIndex)).toEqual([1_000, 1_001]);
    const next = EgressMapping.thaw(lastSourceIndex, mappings);
    expect([next.toOut(1_000), next.toOut(1_001)]).toEqual([7, 208]);
    expect(next.toSource(7)).toBe(1_000);
  });

  it('goes on at another owner without a hole', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (script, isPaused) => {
        const { mapping, last } = play(script);
        const lastOut = mapping.lastOutIndex;
        mapping.isPaused = isPaused;
        const state = mapping.freeze(last - 1);
        const next = EgressMapping.thaw(state.lastSourceIndex, state.mappings);
        expect(next.toOut(last)).toBe(lastOut + 1);
      }),
    );
  });
});
