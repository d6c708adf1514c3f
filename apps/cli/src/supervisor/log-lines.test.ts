import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readableLine } from './log-lines.js';

describe('a line of a child', () => {
  it('becomes a sentence with its fields', () => {
    const line = '{"level":40,"time":1,"process":"node","nodeId":"node-a","code":1006,"msg":"lost control"}';
    expect(readableLine(line)).toBe('warning: lost control (nodeId=node-a, code=1006)');
  });

  it('stays as it is when it is no log entry', () => {
    for (const line of ['control listens on http://x', '{"msg":1}', '{broken', ''])
      expect(readableLine(line)).toBe(line);
  });

  it('never throws, whatever the child writes', () => {
    fc.assert(fc.property(fc.string(), (line) => typeof readableLine(`{${line}`) === 'string'));
    fc.assert(fc.property(fc.json(), (line) => typeof readableLine(line) === 'string'));
  });
});
