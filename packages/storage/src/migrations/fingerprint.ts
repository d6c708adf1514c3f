import { createHash } from 'node:crypto';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type Migration,
} from 'kysely';

/**
 * SHA-256, hex, of everything that the migrations do: their names, and the SQL that each sends to a database which is
 * there for that alone and answers nothing. The same from source and from the build.
 */
export async function fingerprintOf(migrations: Readonly<Record<string, Migration>>): Promise<string> {
  const hash = createHash('sha256');
  const listener = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (database) => new PostgresIntrospector(database),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => {
      hash.update(JSON.stringify([query.sql, query.parameters]));
    },
  });
  for (const [name, migration] of Object.entries(migrations)) {
    hash.update(JSON.stringify(name));
    await migration.up(listener);
  }
  await listener.destroy();
  return hash.digest('hex');
}
