import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  `create table meta (key text primary key, value text not null)`,
  `create table projects (api_key text primary key, name text not null, created_at_ms bigint not null)`,
  `create table nodes (
    node_id text primary key,
    identity_key text not null unique,
    boot_id text not null,
    version text not null,
    registered_at_ms bigint not null,
    last_seen_at_ms bigint not null)`,
  `create table sessions (
    session_id text primary key,
    api_key text not null references projects (api_key),
    location text not null,
    demo boolean not null,
    demo_name text unique,
    home_node_id text,
    created_at_ms bigint not null,
    last_migration_ended_at_ms bigint)`,
  `create table connections (
    connection_id text primary key,
    session_id text not null references sessions (session_id),
    data text not null,
    role text not null,
    session_migration boolean not null,
    path_method text not null,
    events_suppressed boolean not null,
    resume_token_hash text not null,
    created_at_ms bigint not null,
    ended_at_ms bigint,
    end_reason text)`,
  `create index connections_live on connections (session_id) where ended_at_ms is null`,
  `create table streams (
    stream_id text primary key,
    session_id text not null references sessions (session_id),
    connection_id text not null references connections (connection_id),
    info jsonb not null,
    created_at_ms bigint not null,
    published_at_ms bigint,
    ended_at_ms bigint)`,
  `create index streams_live on streams (session_id) where ended_at_ms is null`,
  `create table transports (
    transport_id text primary key,
    session_id text not null references sessions (session_id),
    connection_id text not null references connections (connection_id),
    owner_node_id text not null,
    epoch bigint not null,
    epoch_highest bigint not null,
    intent_move_id text,
    intent_target_node_id text,
    intent_target_epoch bigint,
    intent_return_epoch bigint,
    connected boolean not null,
    negotiated jsonb not null,
    created_at_ms bigint not null,
    ended_at_ms bigint,
    check (epoch_highest >= epoch))`,
  `create index transports_live on transports (owner_node_id) where ended_at_ms is null`,
  `create table migrations (
    migration_id text primary key,
    session_id text not null references sessions (session_id),
    status text not null,
    target_node_id text not null,
    rehearsal boolean not null,
    moved integer not null,
    total integer not null,
    created_at_ms bigint not null,
    ended_at_ms bigint)`,
  // One migration of a session at a time: the database itself says no to a second.
  `create unique index migrations_active on migrations (session_id) where ended_at_ms is null`,
  `create table moves (
    move_id text primary key,
    migration_id text not null references migrations (migration_id),
    connection_id text not null,
    from_node_id text not null,
    to_node_id text not null,
    outcome text,
    failure text,
    gap jsonb not null,
    measures jsonb not null,
    started_at_ms bigint not null,
    ended_at_ms bigint)`,
  `create index moves_of_migration on moves (migration_id)`,
];

/** Projects, nodes, sessions, connections, streams, transports, migrations and moves. */
export const roster: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
