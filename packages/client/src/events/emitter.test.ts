import { describe, expect, it, vi } from 'vitest';
import { Emitter } from './emitter.js';
import { makeEvent } from './event.js';

interface Events {
  first: { value: number };
  second: { value: number };
}

describe('listeners', () => {
  it('are added by name, by several names and by an object', () => {
    const emitter = new Emitter<Events>();
    const seen: string[] = [];
    emitter.on('first', ({ value }) => seen.push(`name ${value}`));
    emitter.on({ first: ({ value }) => seen.push(`object ${value}`), second: () => seen.push('second') });
    emitter.on('first second' as 'first', () => seen.push('both'));
    emitter.dispatch('first', { value: 1 });
    emitter.dispatch('second', { value: 2 });
    expect(seen).toEqual(['name 1', 'object 1', 'both', 'second', 'both']);
  });

  it('of once run once', () => {
    const emitter = new Emitter<Events>();
    const listener = vi.fn();
    emitter.once('first', listener);
    emitter.dispatch('first', { value: 1 });
    emitter.dispatch('first', { value: 2 });
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('are removed one by one, by name, by object and all', () => {
    const emitter = new Emitter<Events>();
    const listener = vi.fn();
    const other = vi.fn();
    emitter.on({ first: listener, second: listener }).on('first', other);
    emitter.off('first', listener);
    emitter.dispatch('first', { value: 1 });
    expect([listener.mock.calls.length, other.mock.calls.length]).toEqual([0, 1]);
    emitter.off({ second: listener });
    emitter.dispatch('second', { value: 1 });
    expect(listener).not.toHaveBeenCalled();
    emitter.off();
    emitter.dispatch('first', { value: 1 });
    expect(other).toHaveBeenCalledTimes(1);
  });

  it('get their context', () => {
    const emitter = new Emitter<Events>();
    const context = { hits: 0 };
    const hit = function (this: typeof context): void {
      this.hits += 1;
    };
    emitter.on('first', hit, context);
    emitter.dispatch('first', { value: 1 });
    expect(context.hits).toBe(1);
  });

  it('that throw do not stop the others', () => {
    const emitter = new Emitter<Events>();
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const listener = vi.fn();
    emitter.on('first', () => {
      throw new Error('from the page');
    });
    emitter.on('first', listener);
    emitter.dispatch('first', { value: 1 });
    expect(listener).toHaveBeenCalled();
    expect(silenced).toHaveBeenCalled();
    silenced.mockRestore();
  });

  it('that are no functions are a programmer error', () => {
    const emitter = new Emitter<Events>();
    expect(() => emitter.on('first', undefined as never)).toThrow(TypeError);
  });
});

describe('default actions', () => {
  it('are prevented on cancelable events only', () => {
    const cancelable = makeEvent('first', undefined, {}, true);
    const plain = makeEvent('first', undefined, {});
    cancelable.preventDefault();
    plain.preventDefault();
    expect([cancelable.isDefaultPrevented(), plain.isDefaultPrevented()]).toEqual([true, false]);
  });
});
