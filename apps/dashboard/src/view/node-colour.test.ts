import { expect, test } from 'vitest';
import { nodeColour, sortNodeIds } from './node-colour.js';

test('a node keeps its colour whatever order the server lists them in', () => {
  expect(nodeColour('node-b', ['node-a', 'node-b'])).toBe('--node-2');
  expect(nodeColour('node-b', ['node-b', 'node-a'])).toBe('--node-2');
});

test('numbers sort as numbers', () => {
  expect(sortNodeIds(['node-10', 'node-2', 'node-2'])).toEqual(['node-2', 'node-10']);
});

test('colours repeat after the sixth, and nobody is grey', () => {
  const ids = ['1', '2', '3', '4', '5', '6', '7'];
  expect(nodeColour('7', ids)).toBe('--node-1');
  expect(nodeColour(null, ids)).toBe('--node-none');
  expect(nodeColour('gone', ids)).toBe('--node-none');
});
