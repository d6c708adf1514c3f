import type { SettingsTable } from '@godwit/protocol';
import { readSettingsFile } from './file.js';
import { unknownNames } from './unknown.js';

type Environment = Readonly<NodeJS.ProcessEnv>;

/** What a process was given, and what a person should be told of it. */
export interface LoadedSettings {
  /** The environment over the file. */
  readonly environment: Environment;
  /** One line each; no value is in them. */
  readonly warnings: readonly string[];
}

/** Reads the environment over a file, if one is named. Throws a CliError when the file cannot be used. */
export function loadSettings(
  environment: Environment,
  path: string | undefined,
  table: SettingsTable,
): LoadedSettings {
  const known = Object.keys(table);
  const warnings = [...unknownNames(Object.keys(environment), known, 'the environment')];
  if (path === undefined || path === '') return { environment, warnings };
  const { values, isReadableByOthers } = readSettingsFile(path);
  // The parser has an order of its own.
  const names = Object.keys(values).toSorted();
  warnings.push(...unknownNames(names, known, path));
  const strangers = names.filter((name) => !name.startsWith('GODWIT_'));
  if (strangers.length > 0)
    warnings.push(`${path} sets ${strangers.join(', ')}, which Godwit does not read.`);
  const secrets = names.filter((name) => table[name]?.isSecret === true);
  if (isReadableByOthers && secrets.length > 0)
    warnings.push(`${path} holds ${secrets.join(', ')} and others can read it: chmod 600 ${path}`);
  const settings = Object.fromEntries(Object.entries(values).filter(([name]) => known.includes(name)));
  return { environment: { ...settings, ...environment }, warnings };
}
