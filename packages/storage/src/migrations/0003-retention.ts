import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  `create index migrations_of_session on migrations (session_id, created_at_ms)`,
  // What has ended is looked for by its age, to be forgotten.
  `create index connections_ended on connections (ended_at_ms) where ended_at_ms is not null`,
  `create index streams_ended on streams (ended_at_ms) where ended_at_ms is not null`,
  `create index transports_ended on transports (ended_at_ms) where ended_at_ms is not null`,
  `create index streams_of_connection on streams (connection_id)`,
  `create index transports_of_connection on transports (connection_id)`,
];

/** Indexes by which rows that nobody needs any more are found. */
export const retention: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
