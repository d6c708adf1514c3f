import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  `create table replicas (
    replica_id text primary key,
    url text,
    fingerprint text not null,
    started_at_ms bigint not null,
    lease_until timestamptz not null)`,
  // Whoever removes a replica frees its sessions in the same transaction.
  `alter table sessions add column replica_id text references replicas (replica_id) on delete set null`,
  `alter table sessions add column term bigint not null default 0`,
  // Somebody may be in those of before: only a session of term 0 has never been kept.
  `update sessions set term = 1`,
  `alter table sessions add column signals bigint not null default 0`,
  `create index sessions_kept on sessions (replica_id) where replica_id is not null`,
  `create index transports_of_session on transports (session_id) where ended_at_ms is null`,
  `create table signals (
    session_id text not null references sessions (session_id),
    number bigint not null,
    from_connection_id text,
    request_id bigint,
    to_connection_id text,
    event jsonb not null,
    created_at_ms bigint not null,
    primary key (session_id, number),
    unique (from_connection_id, request_id))`,
  `create index signals_age on signals (created_at_ms)`,
];

/** The controls of one database, which of them keeps which session, and the signals of the last minutes. */
export const replicas: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
