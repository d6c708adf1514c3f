import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  `alter table projects add column signature_secret text`,
  // Of a secret this holds what control has sealed; the database cannot read it.
  `create table project_credentials (
    credential_id text primary key,
    api_key text not null references projects (api_key),
    kind text not null,
    material text not null,
    created_at_ms bigint not null,
    revoked_at_ms bigint)`,
  `create index project_credentials_valid on project_credentials (api_key) where revoked_at_ms is null`,
  `create table audit (
    audit_id bigserial primary key,
    at_ms bigint not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null)`,
];

/** Projects with several secrets and keys, and who changed what. */
export const projects: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
