import { describe, expect, it } from 'vitest';
import { formatTable } from './output.js';

describe('a table', () => {
  it('aligns its columns and leaves no blanks at the end of a line', () => {
    expect(
      formatTable(
        ['NODE', 'STATE'],
        [
          ['node-a', 'up'],
          ['b', 'in service'],
        ],
      ),
    ).toEqual(['NODE    STATE', 'node-a  up', 'b       in service']);
  });
});
