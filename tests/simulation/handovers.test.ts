// How: runs the built simulation in processes of its own. A failure names the seed; `npm run simulate:handover` replays it.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const CLI = path.join(root, 'packages/simulation/dist/cli.js');
const MUTATIONS = path.join(root, 'scripts/mutations.mjs');

/** Enough to meet every kind of fault several times. */
const HANDOVERS = '3000';

function run(...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
}

describe('simulated handovers', () => {
  it(`break no invariant, ${HANDOVERS} of them`, async () => {
    const { code, text } = await run(CLI, '--seed', '1', '--handovers', HANDOVERS, '--workers', '2');
    expect(code, text).toBe(0);
    expect(text).toContain(' 0 violations');
  });

  it('happen in the same way when a seed is run again', async () => {
    const trace = async (): Promise<string[]> =>
      (await run(CLI, '--seed', '4', '--runs', '3', '--trace')).text
        .split('\n')
        .filter((line) => !/of processor time|handovers a second/.test(line));
    const first = await trace();
    expect(first.length).toBeGreaterThan(100);
    expect(await trace()).toEqual(first);
  });

  it('notice a safeguard that was removed from the source', async () => {
    const { code, text } = await run(MUTATIONS, 'source-floor', 'replay-window', 'relay-dedupe', 'bounce');
    expect(code, text).toBe(0);
  });
});
