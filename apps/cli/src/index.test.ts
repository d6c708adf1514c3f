// How: runs the real program in this process and looks at what it prints and which exit code it leaves.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from './index.js';

describe('the godwit command', () => {
  let errors: string;
  beforeEach(() => {
    errors = '';
    const collect = (text: string | Uint8Array): boolean => {
      errors += String(text);
      return true;
    };
    vi.spyOn(process.stderr, 'write').mockImplementation(collect);
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = 0;
  });

  it('says what is wrong with its arguments and exits with 64', async () => {
    await run(['migrate']);
    expect(errors).toContain("missing required argument 'sessionId'");
    expect(process.exitCode).toBe(64);
    await run(['fly']);
    expect(errors).toContain("unknown command 'fly'");
  });

  it('sends no callback again that nobody named, nor names beside --all', async () => {
    for (const rest of [[], ['some-id', '--all']]) {
      process.exitCode = 0;
      await run(['callbacks', 'replay', ...rest]);
      expect(process.exitCode).toBe(64);
    }
  });

  it('exits with 0 when it only has to help', async () => {
    await run(['--help']);
    expect(process.exitCode).toBe(0);
  });
});
