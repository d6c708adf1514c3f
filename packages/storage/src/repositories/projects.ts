import type { Kysely } from 'kysely';
import type { ProjectRecord } from '../records.js';
import type { Schema } from '../schema.js';

export interface ProjectRepository {
  /** Adds the project unless its key exists. */
  ensure(project: ProjectRecord): Promise<void>;
  get(apiKey: string): Promise<ProjectRecord | null>;
}

export function projectRepository(database: Kysely<Schema>): ProjectRepository {
  return {
    async ensure(project) {
      await database
        .insertInto('projects')
        .values({ api_key: project.apiKey, name: project.name, created_at_ms: project.createdAtMs })
        .onConflict((conflict) => conflict.column('api_key').doNothing())
        .execute();
    },
    async get(apiKey) {
      const row = await database
        .selectFrom('projects')
        .selectAll()
        .where('api_key', '=', apiKey)
        .executeTakeFirst();
      return row === undefined
        ? null
        : { apiKey: row.api_key, name: row.name, createdAtMs: Number(row.created_at_ms) };
    },
  };
}
