import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openFolderStorage } from '../storage.js';
import { writeSeed } from './seed.js';

let seeds: string;
let seed: string;
let folder: string;
beforeAll(async () => {
  seeds = await mkdtemp(join(tmpdir(), 'godwit-seeds-'));
  await writeFile(join(seeds, 'pglite-0.0.0-0.tar.gz'), 'of a former version');
  seed = await writeSeed(seeds);
}, 120_000);
afterAll(() => rm(seeds, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'godwit-seeded-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What initdb gives each database for itself: PostgreSQL's `system_identifier`. Two of one seed share it. */
const identityOf = async (): Promise<string> =>
  (await readFile(join(folder, 'database', 'global', 'pg_control'))).toString('hex', 0, 8);

/** Opens the database, writes, and finds it again. Answers its identity. */
async function use(from = seeds): Promise<string> {
  const first = await openFolderStorage(folder, from);
  await first.meta.set('kept', 'yes');
  await first.close();
  const second = await openFolderStorage(folder, from);
  expect(await second.meta.get('kept')).toBe('yes');
  expect(await second.projects.list()).toEqual([]);
  await second.close();
  expect((await readdir(folder)).toSorted()).toEqual(['database']);
  return identityOf();
}

it('is what a new folder begins with', { timeout: 60_000 }, async () => {
  const first = await use();
  await rm(join(folder, 'database'), { recursive: true });
  expect(await use()).toBe(first);
});

it('is named for PGlite and the schema, and takes the place of another', async () => {
  expect(basename(seed)).toMatch(/^pglite-\d+\.\d+\.\d+-[0-9a-f]{16}\.tar\.gz$/);
  expect(await writeSeed(seeds)).toBe(seed);
  expect(await readdir(seeds)).toEqual([basename(seed)]);
});

it('may be absent, or broken: the database is made without it', { timeout: 120_000 }, async () => {
  const seeded = await use();
  const broken = await mkdtemp(join(tmpdir(), 'godwit-seeds-'));
  const whole = await readFile(seed);
  await writeFile(join(broken, basename(seed)), whole.subarray(0, whole.length / 2));
  for (const from of [broken, join(broken, 'absent')]) {
    await rm(join(folder, 'database'), { recursive: true });
    expect(await use(from)).not.toBe(seeded);
  }
  await rm(broken, { recursive: true });
});

/** Opens the folder in a process of its own, which is killed as soon as `file` is there. False when it was too quick. */
async function openAndKill(file: string, from: string): Promise<boolean> {
  const script = join(seeds, 'open.mjs');
  const storage = new URL('../storage.ts', import.meta.url).href;
  await writeFile(
    script,
    `import { openFolderStorage } from '${storage}'; await openFolderStorage(...process.argv.slice(2));`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, from], { stdio: 'inherit' });
  const gone = once(child, 'exit');
  while (!existsSync(join(folder, file)) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGKILL');
  expect(await gone).toEqual([null, 'SIGKILL']);
  return existsSync(join(folder, 'database.unfinished'));
}

it.each([
  ['before anything is there', 'database.unfinished', () => seeds],
  ['while it is unpacked', 'database/PG_VERSION', () => seeds],
  ['when it looks like a database', 'database/global/pg_control', () => seeds],
  ['in the middle of initdb', 'database/global/pg_control', () => join(seeds, 'absent')],
])(
  'is loaded anew by who comes after a process that was killed %s',
  { timeout: 120_000 },
  async (_, file, from) => {
    // On a starved machine the other may have finished before it is killed.
    while (!(await openAndKill(file, from()))) await rm(join(folder, 'database'), { recursive: true });
    await use();
  },
);
