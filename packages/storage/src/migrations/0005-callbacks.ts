import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  `create table project_callbacks (
    callback_id text primary key,
    api_key text not null references projects (api_key),
    group_name text not null,
    event text not null,
    url text not null,
    created_at_ms bigint not null)`,
  `create index project_callbacks_of on project_callbacks (api_key)`,
  // Jobs of one lane run one after the other, in the order of their positions.
  `create table jobs (
    job_id text primary key,
    position bigserial not null,
    kind text not null,
    lane text not null,
    group_name text not null,
    subject text not null,
    payload jsonb not null,
    created_at_ms bigint not null,
    run_at_ms bigint not null,
    attempts integer not null default 0,
    lease_id text,
    lease_until_ms bigint,
    dead_at_ms bigint,
    last_error text)`,
  `create index jobs_due on jobs (kind, run_at_ms) where dead_at_ms is null`,
  `create index jobs_lanes on jobs (kind, lane, position) where dead_at_ms is null`,
  `create index jobs_dead on jobs (group_name, position) where dead_at_ms is not null`,
  `create index jobs_of_subject on jobs (subject)`,
];

/** Receivers of callbacks, and the queue in which everything that has to be done later waits. */
export const callbacks: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
