import { expect, test } from 'vitest';
import { colourStops } from './owner-colours.js';

const view = { fromMs: 1_000, toMs: 2_000 };

test('each owner colours the time for which it owned, with hard edges', () => {
  const changes = [
    { fromMs: 0, nodeId: 'node-a' },
    { fromMs: 1_250, nodeId: 'node-b' },
  ];
  expect(colourStops(changes, view)).toEqual([
    { from: 0, to: 0.25, nodeId: 'node-a' },
    { from: 0.25, to: 1, nodeId: 'node-b' },
  ]);
});

test('changes outside the view stay within the gradient', () => {
  const changes = [
    { fromMs: 0, nodeId: 'node-a' },
    { fromMs: 500, nodeId: 'node-b' },
    { fromMs: 9_000, nodeId: 'node-a' },
  ];
  const stops = colourStops(changes, view);
  expect(stops.every(({ from, to }) => from >= 0 && from <= to && to <= 1)).toBe(true);
  expect(stops[1]).toEqual({ from: 0, to: 1, nodeId: 'node-b' });
});
