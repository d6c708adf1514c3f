import type { Kysely } from 'kysely';
import type { Schema } from '../schema.js';

/** Small facts about the installation itself. */
export interface MetaRepository {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
}

export function metaRepository(database: Kysely<Schema>): MetaRepository {
  return {
    async get(key) {
      const row = await database.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
      return row?.value ?? null;
    },
    async set(key, value) {
      await database
        .insertInto('meta')
        .values({ key, value })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
        .execute();
    },
  };
}
