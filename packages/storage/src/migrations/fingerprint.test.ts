import { sql, type Migration } from 'kysely';
import { expect, it } from 'vitest';
import { fingerprintOf } from './fingerprint.js';
import { schemaFingerprint } from './index.js';

const migrationOf = (...statements: readonly string[]): Migration => ({
  up: async (database) => {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
});

it('is the same for the same migrations, and another for any other', async () => {
  const one = migrationOf('create table a (x int)', 'create table b (x int)');
  const versions: Readonly<Record<string, Migration>>[] = [
    { '0001': one },
    { '0002': one },
    { '0001': migrationOf('create table a (x int)') },
    { '0001': migrationOf('create table b (x int)', 'create table a (x int)') },
    { '0001': one, '0002': migrationOf('create table c (x int)') },
    { '0001': one, '0002': migrationOf('create table c (x bigint)') },
  ];
  const all = await Promise.all(versions.map(fingerprintOf));
  expect(new Set(all).size).toBe(all.length);
  expect(await fingerprintOf({ '0001': one })).toBe(all[0]);
  expect(await schemaFingerprint()).toBe(await schemaFingerprint());
});
