import { describe, expect, it } from 'vitest';
import { startChild } from './child.js';

describe('a child process', () => {
  it('writes no core dump, reports by its channel and passes on how it ended', async () => {
    const script = `
      process.stdout.write(require('node:child_process').execSync('ulimit -c').toString());
      process.send({ type: 'ready', url: 'http://127.0.0.1:1' });
      process.on('message', () => process.exit(7));`;
    const lines: string[] = [];
    const child = startChild({
      commandLine: ['--eval', script],
      env: process.env,
      onLine: (line) => lines.push(line),
      onReady: () => child.stop(),
    });
    expect(await child.ended).toEqual({ code: 7 });
    expect(lines).toEqual(['0']);
  });
});
