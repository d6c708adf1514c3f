import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  // Not tied to a row of nodes: a plan outlives the process that it was made for.
  `create table planned_ends (
    plan_id text primary key,
    node_id text not null unique,
    identity_key text not null,
    addresses jsonb not null,
    ends_at_ms bigint not null,
    reason text not null,
    planned_at_ms bigint not null)`,
  // What has been told: its key is what makes a second time impossible.
  `create table end_notices (
    plan_id text not null references planned_ends (plan_id) on delete cascade,
    session_id text not null,
    remaining_seconds integer not null,
    event_id text not null,
    told_at_ms bigint not null,
    primary key (plan_id, session_id, remaining_seconds))`,
];

/** When nodes are to end, and which sessions have been told. */
export const plannedEnds: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
