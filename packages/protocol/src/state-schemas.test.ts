import { describe, expect, it } from 'vitest';
import { chooseStateSchema } from './state-schemas.js';

describe('layouts of the portable state', () => {
  it('are agreed on as the highest that both sides know', () => {
    expect(chooseStateSchema([3, 2], [2, 1])).toBe(2);
    expect(chooseStateSchema([1, 2], [2, 1])).toBe(2);
    expect(chooseStateSchema([3, 2], [1])).toBeNull();
    expect(chooseStateSchema([], [1])).toBeNull();
  });
});
