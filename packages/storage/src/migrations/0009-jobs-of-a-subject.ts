import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  // The jobs of one subject, in their order: those that wait and those that were given up are counted apart.
  `create index jobs_waiting_of_subject on jobs (kind, subject, position) where dead_at_ms is null`,
  `create index jobs_dead_of_subject on jobs (kind, subject, position) where dead_at_ms is not null`,
  `drop index jobs_of_subject`,
];

/** Indexes by which the callbacks of one receiver are kept within their bounds. */
export const jobsOfASubject: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
