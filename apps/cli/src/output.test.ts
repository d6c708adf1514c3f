import { describe, expect, it } from 'vitest';
import { formatTable, formatTime } from './output.js';

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

it('shows a time to the minute, in UTC', () => {
  expect(formatTime(Date.UTC(2026, 10, 21, 9, 5, 59))).toBe('2026-11-21 09:05');
});
