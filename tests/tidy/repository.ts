import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The folder of the whole repository. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Paths from the root of every file that is in git or about to be (new and not ignored). */
export const files: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && isPresent(file));

function isPresent(file: string): boolean {
  return ts.sys.fileExists(path.join(root, file));
}

const texts = new Map<string, string>();

export function read(file: string): string {
  const text = texts.get(file) ?? readFileSync(path.join(root, file), 'utf8');
  texts.set(file, text);
  return text;
}

export const isTypeScript = (file: string): boolean => /\.tsx?$/.test(file);
export const isTest = (file: string): boolean =>
  /\.test\.tsx?$|^tests\/|^packages\/testing\/|\/tests-browser\/|\/fixture\//.test(file);

/** A workspace: "packages/rtp" or "apps/cli". */
export interface Workspace {
  readonly folder: string;
  /** "@godwit/rtp". */
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

export const workspaces: readonly Workspace[] = files
  .filter((file) => /^(packages|apps)\/[^/]+\/package\.json$/.test(file))
  .map((file) => {
    const manifest = JSON.parse(read(file)) as { name: string; dependencies?: Record<string, string> };
    return { folder: path.dirname(file), name: manifest.name, dependencies: manifest.dependencies ?? {} };
  });

/** The module names a file imports, dynamic ones with a literal included. */
export function importsOf(file: string): string[] {
  return ts.preProcessFile(read(file), true, true).importedFiles.map((imported) => imported.fileName);
}
