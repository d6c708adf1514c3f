import { describe, expect, it } from 'vitest';
import { endsAtMs } from './nodes.js';

const NOW_MS = Date.parse('2026-12-01T00:00:00Z');

describe('when a node is to end', () => {
  it.each([
    [{ in: '90m' }, '2026-12-01T01:30:00.000Z'],
    [{ in: '4h' }, '2026-12-01T04:00:00.000Z'],
    [{ in: '2d' }, '2026-12-03T00:00:00.000Z'],
    [{ at: '2026-12-01T03:00:00Z' }, '2026-12-01T03:00:00.000Z'],
    [{ at: '2026-12-01T03:00:00+02:00' }, '2026-12-01T01:00:00.000Z'],
  ])('is understood: %j', (end, expected) => {
    expect(new Date(endsAtMs(end, NOW_MS)).toISOString()).toBe(expected);
  });

  it.each([
    [{}],
    [{ in: '4h', at: '2026-12-01T03:00:00Z' }],
    [{ in: '4 hours' }],
    [{ in: '-4h' }],
    [{ in: '4' }],
    [{ at: 'tomorrow' }],
    [{ at: '2026-12-01T03:00:00' }],
  ])('is refused: %j', (end) => {
    expect(() => endsAtMs(end, NOW_MS)).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });
});
