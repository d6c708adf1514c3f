import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PostgresDialect } from 'kysely';
import { migrateToLatest, schemaFingerprint } from '../migrations/index.js';
import type { Schema } from '../schema.js';
import { poolOverSession } from './pool.js';
import { sessionOf } from './session.js';

/** Where the build puts the seed, for the built package and for its source alike. */
export const SEED_FOLDER: string = fileURLToPath(new URL('../../dist/seed/', import.meta.url));
/** Hex digits of the schema's fingerprint in a name: enough that two schemas never share one. */
const FINGERPRINT_CHARS = 16;

/** The seed in `folder` that fits this PGlite and this schema; null when there is none. */
export async function findSeed(folder: string = SEED_FOLDER): Promise<string | null> {
  const path = join(folder, await seedName());
  return access(path).then(
    () => path,
    () => null,
  );
}

/**
 * Writes the seed into `folder`, unless it is there: an empty database with the newest schema, packed (5 MB). What is there of
 * other versions is removed. Answers its path.
 */
export async function writeSeed(folder: string = SEED_FOLDER): Promise<string> {
  const found = await findSeed(folder);
  if (found !== null) return found;
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  const path = join(folder, await seedName());
  const unfinished = join(folder, `unfinished-${randomBytes(8).toString('hex')}`);
  await writeFile(unfinished, await packedDatabase());
  await rename(unfinished, path);
  return path;
}

async function seedName(): Promise<string> {
  const fingerprint = await schemaFingerprint();
  return `pglite-${await pgliteVersion()}-${fingerprint.slice(0, FINGERPRINT_CHARS)}.tar.gz`;
}

/** PGlite does not say it, and its package.json is not exported. */
async function pgliteVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const text = await readFile(join(dirname(entry), '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function packedDatabase(): Promise<Uint8Array> {
  const pglite = await PGlite.create();
  const pool = poolOverSession(sessionOf(pglite));
  const database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  await migrateToLatest(database);
  // What is in the log only would have to be recovered at each first start.
  await pglite.query('checkpoint');
  const packed = await pglite.dumpDataDir('gzip');
  await database.destroy();
  return packed.bytes();
}
