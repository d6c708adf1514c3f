import { describe, expect, it } from 'vitest';
import { OneTimeEvent } from './deadline.js';

describe('something that happens once', () => {
  it('is told to those who listen, once, and at once to those who come later', () => {
    const event = new OneTimeEvent();
    const told: string[] = [];
    event.listen(() => told.push('early'));
    event.happen();
    event.happen();
    event.listen(() => told.push('late'));
    expect(told).toEqual(['early', 'late']);
    expect(event.waiting).toBe(0);
  });

  it('keeps nothing of those who stopped listening', () => {
    const event = new OneTimeEvent();
    const told: string[] = [];
    const stop = event.listen(() => told.push('stopped'));
    event.listen(() => told.push('listening'));
    stop();
    expect(event.waiting).toBe(1);
    event.happen();
    expect(told).toEqual(['listening']);
  });
});
