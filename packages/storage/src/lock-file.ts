import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from './errors.js';

const LOCK_FILE_NAME = 'godwit.lock';

/** Held while this process uses the data folder. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process: PGlite itself would let two processes write one folder.
 * The lock of a process that is gone is taken over. Errors: dataFolderLocked.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, LOCK_FILE_NAME);
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await create(path)) return { release: () => rm(path, { force: true }) };
    const owner = await readOwner(path);
    if (owner !== null && owner !== process.pid && isAlive(owner)) throw locked(folder, owner);
    await rm(path, { force: true });
  }
  throw locked(folder, null);
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readOwner(path: string): Promise<number | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function locked(folder: string, owner: number | null): StorageError {
  const by = owner === null ? 'another process' : `process ${owner}`;
  return new StorageError(
    'dataFolderLocked',
    `The data folder ${folder} is in use by ${by}. Stop that process, or set GODWIT_DATA_DIR to another folder.`,
  );
}
