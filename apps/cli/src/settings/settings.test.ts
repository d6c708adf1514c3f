// How: real files in a folder of their own, read over an environment that the test makes.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { controlSettingsTable, parseSettings } from '@godwit/control';
import { nodeSettingsTable, parseNodeSettings } from '@godwit/node';
import { readSettings, type SettingsTable } from '@godwit/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../index.js';
import { loadSettings } from './load.js';
import { allSettings, commandSettingsTable } from './table.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'godwit-settings-'));
  file = path.join(folder, 'godwit.env');
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (text: string, mode = 0o600): void => {
  writeFileSync(file, text);
  chmodSync(file, mode);
};
const load = (env: Record<string, string> = {}) => loadSettings(env, file, allSettings);

describe('settings', () => {
  it('come from a file, and the environment wins', () => {
    write(
      '# ours\nGODWIT_PORT=4700\nexport GODWIT_HOST = "0.0.0.0" # all\nGODWIT_JOIN_KEY=\'with # and "quotes"\'\n',
    );
    const { environment, warnings } = load({ GODWIT_PORT: '4800' });
    expect(warnings).toEqual([]);
    expect(parseSettings(environment)).toMatchObject({
      port: 4800,
      host: '0.0.0.0',
      joinKey: 'with # and "quotes"',
    });
    const control = { GODWIT_CONTROL_URL: 'http://127.0.0.1:4600' };
    expect(parseNodeSettings({ ...environment, ...control }).joinKey).toBe('with # and "quotes"');
  });

  it.each([
    ['PORT 4700\n', 'Line 1 of .* must be NAME=value'],
    ['# ours\n\nGODWIT_API_SECRET=abc#def-of-some-length\n', 'Line 3 of .* has a # inside its value'],
    ['GODWIT_API_SECRET="abc\n', 'Line 1 of .* begins a quote'],
  ])('cannot be read from %j', (text, message) => {
    write(text);
    expect(load).toThrow(new RegExp(message));
    expect(load).toThrow(/^(?!.*abc)/);
  });

  it('name a file that is not there', () => {
    expect(load).toThrow('cannot be read. Check its path and permissions.');
  });

  it('tell of a name that is none, with the one that was meant', () => {
    write('GODWIT_PROT=1\nGODWIT_EVERYTHING=on\nPGPASSWORD=x-of-ours\n');
    const { environment, warnings } = load({ GODWIT_NODE: '2', GODWIT_TEST_CHROMIUM: '/usr/bin/chromium' });
    expect(warnings).toEqual([
      'GODWIT_NODE in the environment is no setting. Did you mean GODWIT_NODES?',
      `GODWIT_EVERYTHING in ${file} is no setting.`,
      `GODWIT_PROT in ${file} is no setting. Did you mean GODWIT_PORT?`,
      `${file} sets PGPASSWORD, which Godwit does not read.`,
    ]);
    expect(environment).not.toHaveProperty('PGPASSWORD');
  });

  it('warn of secrets in a file that others can read, and of nothing else in it', () => {
    write('GODWIT_API_SECRET=a-secret-of-the-file\nGODWIT_PORT=1\n', 0o644);
    expect(load().warnings).toEqual([
      `${file} holds GODWIT_API_SECRET and others can read it: chmod 600 ${file}`,
    ]);
    write('GODWIT_PORT=1\n', 0o644);
    expect(load().warnings).toEqual([]);
  });

  it('have all secrets marked as such', () => {
    const secrets = Object.keys(allSettings).filter((name) => allSettings[name]?.isSecret === true);
    expect(secrets.toSorted()).toEqual([
      'GODWIT_ADMIN_TOKEN',
      'GODWIT_API_SECRET',
      'GODWIT_DATABASE_URL',
      'GODWIT_JOIN_KEY',
      'GODWIT_STORAGE_KEY',
    ]);
  });

  const tables: readonly SettingsTable[] = [controlSettingsTable, nodeSettingsTable, commandSettingsTable];
  /** What no setting with a rule of its own takes. */
  const BAD = ' \u0000bad ';
  const judged = tables.flatMap((table) =>
    Object.keys(table)
      .filter((name) => table[name]?.schema.safeParse(BAD).success === false)
      .map((name) => [name, table] as const),
  );
  it.each(judged)('%s that cannot be used is one line that names it and not its value', (name, table) => {
    const others = Object.fromEntries(Object.entries(table).filter(([other]) => other === name));
    expect(() => readSettings(others, { [name]: BAD })).toThrow(
      new RegExp(`^${name} (must|is) (?!.*bad )[^\\n]+\\.$`),
    );
  });
});

describe('the command', () => {
  it('takes the file of --config, and says what is wrong with it', async () => {
    write('GODWIT_PORT=many\nGODWIT_PROT=1\n');
    let errors = '';
    vi.spyOn(console, 'error').mockImplementation((line: string) => void (errors += `${line}\n`));
    const before = { ...process.env };
    try {
      await run(['control', '--config', file]);
      expect(errors).toBe(
        `godwit: GODWIT_PROT in ${file} is no setting. Did you mean GODWIT_PORT?\n` +
          'godwit: GODWIT_PORT must be a port number, e.g. 4600.\n',
      );
      expect(process.exitCode).toBe(78);
    } finally {
      process.env = before;
      process.exitCode = 0;
      vi.restoreAllMocks();
    }
  });
});
