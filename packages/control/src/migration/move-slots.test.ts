import { describe, expect, it } from 'vitest';
import { MoveSlots } from './move-slots.js';

/** Lets everything that is due run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('slots of moves', () => {
  it('let as many moves of a node be under way as there are, whatever its part in them', async () => {
    const slots = new MoveSlots(() => 2);
    const started: string[] = [];
    const take = async (name: string, nodes: string[]): Promise<() => void> => {
      const release = await slots.take(nodes);
      started.push(name);
      return release;
    };
    const first = await take('first', ['a', 'b']);
    await take('second', ['c', 'a']);
    void take('third', ['b', 'a']);
    void take('fourth', ['b', 'c']);
    await settle();
    expect(started).toEqual(['first', 'second', 'fourth']);
    expect(slots.waiting).toBe(1);
    first();
    await settle();
    expect(started).toEqual(['first', 'second', 'fourth', 'third']);
  });

  it('are given back once, however often it is said', async () => {
    const slots = new MoveSlots(() => 1);
    const release = await slots.take(['a']);
    const waiting = [slots.take(['a']), slots.take(['a'])];
    release();
    release();
    await waiting[0];
    await settle();
    expect(slots.waiting).toBe(1);
  });
});
