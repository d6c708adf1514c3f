import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { CliError } from '../errors.js';

/** A file of settings, as it was read. */
export interface SettingsFile {
  readonly values: Readonly<Record<string, string>>;
  /** Whether users other than its owner may read it. */
  readonly isReadableByOthers: boolean;
}

const READABLE_BY_OTHERS = 0o044;

/**
 * Reads a file in the format of Node's own env files: `NAME=value` lines, `#` comments, values in quotes as they are.
 * Throws a CliError that names the file and the line, never a value.
 */
export function readSettingsFile(path: string): SettingsFile {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'utf8');
    ({ mode } = statSync(path));
  } catch (cause) {
    throw new CliError(
      'configuration',
      `The settings file ${path} cannot be read. Check its path and permissions.`,
      { cause },
    );
  }
  for (const [index, line] of text.split('\n').entries()) {
    const wrong = complaint(line.trim());
    if (wrong !== null) throw new CliError('configuration', `Line ${index + 1} of ${path} ${wrong}.`);
  }
  return {
    values: parseEnv(text) as Record<string, string>,
    // Windows has no such bits.
    isReadableByOthers: process.platform !== 'win32' && (mode & READABLE_BY_OTHERS) !== 0,
  };
}

/** Node's parser passes over what it does not understand, and cuts values at a #: half a secret is worse than none. */
function complaint(line: string): string | null {
  if (line === '' || line.startsWith('#')) return null;
  const value = /^(?:export\s+)?[A-Za-z_]\w*\s*=\s*(.*)$/.exec(line)?.[1];
  if (value === undefined) return 'must be NAME=value or a # comment';
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote !== undefined) return value.indexOf(quote, 1) < 0 ? 'begins a quote and does not end it' : null;
  return /[^\s]#/.test(value) ? 'has a # inside its value: put the value in quotes' : null;
}
