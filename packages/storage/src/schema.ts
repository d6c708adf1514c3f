import type { ColumnType, Generated, RawBuilder } from 'kysely';

/** 64-bit integers: PostgreSQL's driver answers text, PGlite a number. Read with Number(). */
type Int64 = ColumnType<string | number, number, number>;
type NullableInt64 = ColumnType<string | number | null, number | null, number | null>;
/** Written as text, read as data. */
type JsonColumn = ColumnType<unknown, string, string>;

export interface Schema {
  meta: { key: string; value: string };
  projects: { api_key: string; name: string; created_at_ms: Int64; signature_secret: string | null };
  project_credentials: {
    credential_id: string;
    api_key: string;
    kind: 'secret' | 'key';
    material: string;
    created_at_ms: Int64;
    revoked_at_ms: NullableInt64;
  };
  project_callbacks: {
    callback_id: string;
    api_key: string;
    group_name: string;
    event: string;
    url: string;
    created_at_ms: Int64;
  };
  jobs: {
    job_id: string;
    position: Generated<string | number>;
    kind: string;
    lane: string;
    group_name: string;
    subject: string;
    payload: JsonColumn;
    created_at_ms: Int64;
    run_at_ms: Int64;
    attempts: Generated<number>;
    lease_id: string | null;
    lease_until_ms: NullableInt64;
    dead_at_ms: NullableInt64;
    last_error: string | null;
  };
  audit: {
    audit_id: Generated<string | number>;
    at_ms: Int64;
    actor: string;
    action: string;
    subject: string;
    detail: JsonColumn;
  };
  nodes: {
    node_id: string;
    identity_key: string;
    boot_id: string;
    version: string;
    registered_at_ms: Int64;
    last_seen_at_ms: Int64;
  };
  planned_ends: {
    plan_id: string;
    node_id: string;
    identity_key: string;
    addresses: JsonColumn;
    ends_at_ms: Int64;
    reason: string;
    planned_at_ms: Int64;
  };
  end_notices: {
    plan_id: string;
    session_id: string;
    remaining_seconds: number;
    event_id: string;
    told_at_ms: Int64;
  };
  sessions: {
    session_id: string;
    api_key: string;
    location: string;
    demo: boolean;
    demo_name: string | null;
    home_node_id: string | null;
    created_at_ms: Int64;
    last_migration_ended_at_ms: NullableInt64;
    mute_forced: Generated<boolean>;
    replica_id: ColumnType<string | null, string | null | undefined, string | null>;
    term: Generated<string | number>;
    signals: Generated<string | number>;
  };
  replicas: {
    replica_id: string;
    url: string | null;
    fingerprint: string;
    started_at_ms: Int64;
    /** In the database's own time. */
    lease_until: ColumnType<Date, RawBuilder<Date>, RawBuilder<Date>>;
  };
  signals: {
    session_id: string;
    number: Int64;
    from_connection_id: string | null;
    request_id: NullableInt64;
    to_connection_id: string | null;
    event: JsonColumn;
    created_at_ms: Int64;
  };
  connections: {
    connection_id: string;
    session_id: string;
    data: string;
    role: string;
    session_migration: boolean;
    path_method: string;
    events_suppressed: boolean;
    layout_classes: Generated<string>;
    resume_token_hash: string;
    created_at_ms: Int64;
    ended_at_ms: NullableInt64;
    end_reason: string | null;
  };
  streams: {
    stream_id: string;
    session_id: string;
    connection_id: string;
    info: JsonColumn;
    layout_classes: Generated<string>;
    created_at_ms: Int64;
    published_at_ms: NullableInt64;
    ended_at_ms: NullableInt64;
  };
  transports: {
    transport_id: string;
    session_id: string;
    connection_id: string;
    owner_node_id: string;
    epoch: Int64;
    epoch_highest: Int64;
    intent_move_id: string | null;
    intent_target_node_id: string | null;
    intent_target_epoch: NullableInt64;
    intent_return_epoch: NullableInt64;
    intent_source_node_id: string | null;
    intent_open: boolean;
    connected: boolean;
    negotiated: JsonColumn;
    created_at_ms: Int64;
    ended_at_ms: NullableInt64;
  };
  migrations: {
    migration_id: string;
    session_id: string;
    status: string;
    target_node_id: string;
    rehearsal: boolean;
    moved: number;
    total: number;
    created_at_ms: Int64;
    ended_at_ms: NullableInt64;
  };
  moves: {
    move_id: string;
    migration_id: string;
    connection_id: string;
    from_node_id: string;
    to_node_id: string;
    outcome: string | null;
    failure: string | null;
    gap: JsonColumn;
    measures: JsonColumn;
    started_at_ms: Int64;
    ended_at_ms: NullableInt64;
  };
}

/** A nullable 64-bit column as a number. */
export function numberOrNull(value: string | number | null): number | null {
  return value === null ? null : Number(value);
}

/** Words as they stand in a column. */
export function wordsOf(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}
