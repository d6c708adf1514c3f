import type { Kysely, Transaction } from 'kysely';
import { LIST_ROWS_MAX } from '../limits.js';
import type { AuditEntry, Json } from '../records.js';
import type { Schema } from '../schema.js';

/** What administrators and projects have changed; written in the transaction of the change. */
export interface AuditRepository {
  add(entry: AuditEntry): Promise<void>;
  /** Newest first, at most LIST_ROWS_MAX. */
  list(): Promise<AuditEntry[]>;
}

export function auditRepository(database: Kysely<Schema>): AuditRepository {
  return {
    add: (entry) => writeAudit(database, entry),
    async list() {
      const query = database.selectFrom('audit').selectAll().orderBy('audit_id', 'desc').limit(LIST_ROWS_MAX);
      return (await query.execute()).map((row) => ({
        atMs: Number(row.at_ms),
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        detail: row.detail as Json,
      }));
    },
  };
}

/** Notes a change beside it. */
export async function writeAudit(
  database: Kysely<Schema> | Transaction<Schema>,
  { atMs, actor, action, subject, detail }: AuditEntry,
): Promise<void> {
  await database
    .insertInto('audit')
    .values({ at_ms: atMs, actor, action, subject, detail: JSON.stringify(detail) })
    .execute();
}
