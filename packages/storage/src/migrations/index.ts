import { Migrator, type Kysely, type Migration } from 'kysely';
import { fingerprintOf } from './fingerprint.js';
import { StorageError } from '../errors.js';
import type { Schema } from '../schema.js';
import { roster } from './0001-roster.js';
import { closedIntents } from './0002-closed-intents.js';
import { retention } from './0003-retention.js';
import { projects } from './0004-projects.js';
import { callbacks } from './0005-callbacks.js';
import { moderation } from './0006-moderation.js';
import { replicas } from './0007-replicas.js';
import { plannedEnds } from './0008-planned-ends.js';
import { jobsOfASubject } from './0009-jobs-of-a-subject.js';

/** In order of their names; a released migration is never edited. */
const migrations: Record<string, Migration> = {
  '0001-roster': roster,
  '0002-closed-intents': closedIntents,
  '0003-retention': retention,
  '0004-projects': projects,
  '0005-callbacks': callbacks,
  '0006-moderation': moderation,
  '0007-replicas': replicas,
  '0008-planned-ends': plannedEnds,
  '0009-jobs-of-a-subject': jobsOfASubject,
};

/** What a database that was brought to the newest schema is known by, hex. */
export const schemaFingerprint = (): Promise<string> => fingerprintOf(migrations);

/** Brings the database to the newest schema. Errors: migrationFailed. */
export async function migrateToLatest(database: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'reading the schema';
  throw new StorageError(
    'migrationFailed',
    `The database could not be brought to this version's schema (${failed}). Restore a backup, or start with an empty GODWIT_DATA_DIR.`,
    { cause: error },
  );
}
