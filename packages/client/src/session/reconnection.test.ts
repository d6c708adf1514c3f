import { expect, it } from 'vitest';
import { Reconnection } from './reconnection.js';

it('begins with the first part that is away and ends with the last that returns', () => {
  const reconnection = new Reconnection();
  expect(reconnection.left('media')).toBe(true);
  expect(reconnection.left('signalling')).toBe(false);
  expect(reconnection.left('media')).toBe(false);
  expect(reconnection.returned('signalling')).toBe(false);
  expect(reconnection.returned('media')).toBe(true);
  expect(reconnection.returned('media')).toBe(false);
});
