import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Beside the database while it is being made. */
const UNFINISHED_NAME = 'database.unfinished';

/** The folder of the embedded database, and whether anything is in it. */
export interface DatabaseFolder {
  readonly path: string;
  /** Nothing is in it: it has yet to be made. */
  readonly isNew: boolean;
  /** Empties it, to be made in another way. */
  empty(): Promise<void>;
  /** It has been made to its end. */
  finish(): Promise<void>;
}

/**
 * The database within `folder`, which must be locked. One whose making was broken off, by a killed process, is removed:
 * it looks like a database and lacks half of its files. Nobody has been handed it, so nothing is lost.
 */
export async function databaseFolder(folder: string): Promise<DatabaseFolder> {
  const path = join(folder, 'database');
  const unfinished = join(folder, UNFINISHED_NAME);
  const empty = (): Promise<void> => rm(path, { recursive: true, force: true });
  const isNew = (await exists(unfinished)) || !(await exists(path));
  if (isNew) {
    await writeFile(unfinished, 'The database is being made; without this file it has been.\n');
    await empty();
  }
  return { path, isNew, empty, finish: () => rm(unfinished, { force: true }) };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
