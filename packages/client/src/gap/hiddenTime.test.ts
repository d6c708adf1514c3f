import { expect, it } from 'vitest';
import { HiddenTime } from './hiddenTime.js';

it('adds up the hidden parts of a window, the running one too', () => {
  const hidden = new HiddenTime();
  hidden.changed(true, 100);
  hidden.changed(true, 150);
  hidden.changed(false, 300);
  hidden.changed(false, 400);
  hidden.changed(true, 900);
  expect(hidden.within({ fromMs: 0, toMs: 1_000 })).toBe(300);
  expect(hidden.within({ fromMs: 200, toMs: 250 })).toBe(50);
  expect(hidden.within({ fromMs: 400, toMs: 800 })).toBe(0);
});
