import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runOrExit } from './run.mjs';

/** Folders of a package that hold results or only tests: no reason to build again. */
const IGNORED_FOLDERS = new Set(['dist', 'node_modules', 'fixture', 'fixtures', 'tests-browser', '.cache']);
const IGNORED_FILES = /\.test\.tsx?$|\.tsbuildinfo$|\.md$/;

/** Packages with a browser bundle besides what `tsc -b` writes. */
const VITE_PACKAGES = ['packages/client', 'apps/dashboard'];

function stampFile(root) {
  return path.join(root, 'node_modules', '.cache', 'godwit', 'build');
}

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return IGNORED_FOLDERS.has(entry.name) ? [] : sourceFiles(full);
    return IGNORED_FILES.test(entry.name) ? [] : [full];
  });
}

function outputsExist(root) {
  const packages = ['packages', 'apps'].flatMap((group) =>
    readdirSync(path.join(root, group)).map((name) => path.join(root, group, name)),
  );
  return packages
    .filter((folder) => existsSync(path.join(folder, 'tsconfig.json')) && !folder.endsWith('testing'))
    .every((folder) => existsSync(path.join(folder, 'dist')));
}

/** One hash over everything that a build reads. By content, so that a fresh checkout of the same tree is not rebuilt. */
export function sourceHash(root) {
  const hash = createHash('sha256');
  const single = ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json'].map((name) =>
    path.join(root, name),
  );
  const files = [
    ...single,
    ...sourceFiles(path.join(root, 'packages')),
    ...sourceFiles(path.join(root, 'apps')),
  ];
  for (const file of files.sort()) {
    hash.update(path.relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/** Says whether the last complete build was made from exactly these sources. */
export function isBuilt(root) {
  const stamp = stampFile(root);
  return existsSync(stamp) && outputsExist(root) && readFileSync(stamp, 'utf8') === sourceHash(root);
}

async function bundle(root, folder) {
  if (!existsSync(path.join(root, folder, 'vite.config.ts'))) return;
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  await runOrExit(`bundling ${folder}`, process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: path.join(root, folder),
  });
}

/** Builds everything: the TypeScript projects in order, then the browser bundles and, meanwhile, the database's seed. */
export async function build(root) {
  const stamp = stampFile(root);
  rmSync(stamp, { force: true });
  const hash = sourceHash(root);
  await runOrExit('compiling', process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { cwd: root });
  const seed = runOrExit('packing the database', process.execPath, ['scripts/seed.mjs'], { cwd: root });
  for (const folder of VITE_PACKAGES) await bundle(root, folder);
  await seed;
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

/** Builds when sources changed since the last complete build. */
export async function ensureBuilt(root) {
  if (isBuilt(root)) return;
  console.log('godwit: building …');
  await build(root);
}
