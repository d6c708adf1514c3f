import type { Kysely, Selectable } from 'kysely';
import { LIST_ROWS_MAX } from '../limits.js';
import type { NodeRecord } from '../records.js';
import type { Schema } from '../schema.js';

export interface NodeRepository {
  /** Adds the node, or notes its new process. An id keeps the identity key of its first registration. */
  save(node: NodeRecord): Promise<void>;
  get(nodeId: string): Promise<NodeRecord | null>;
  getByIdentity(identityKey: string): Promise<NodeRecord | null>;
  list(): Promise<NodeRecord[]>;
  seen(nodeId: string, nowMs: number): Promise<void>;
  remove(nodeId: string): Promise<void>;
}

export function nodeRepository(database: Kysely<Schema>): NodeRepository {
  return {
    async save(node) {
      const process = {
        boot_id: node.bootId,
        version: node.version,
        registered_at_ms: node.registeredAtMs,
        last_seen_at_ms: node.lastSeenAtMs,
      };
      await database
        .insertInto('nodes')
        .values({ node_id: node.nodeId, identity_key: node.identityKey, ...process })
        .onConflict((conflict) => conflict.column('node_id').doUpdateSet(process))
        .execute();
    },
    async get(nodeId) {
      const row = await database
        .selectFrom('nodes')
        .selectAll()
        .where('node_id', '=', nodeId)
        .executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    async getByIdentity(identityKey) {
      const query = database.selectFrom('nodes').selectAll().where('identity_key', '=', identityKey);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    },
    async list() {
      const rows = await database
        .selectFrom('nodes')
        .selectAll()
        .orderBy('node_id')
        .limit(LIST_ROWS_MAX)
        .execute();
      return rows.map(toRecord);
    },
    async seen(nodeId, nowMs) {
      await database
        .updateTable('nodes')
        .set({ last_seen_at_ms: nowMs })
        .where('node_id', '=', nodeId)
        .execute();
    },
    async remove(nodeId) {
      await database.deleteFrom('nodes').where('node_id', '=', nodeId).execute();
    },
  };
}

function toRecord(row: Selectable<Schema['nodes']>): NodeRecord {
  return {
    nodeId: row.node_id,
    identityKey: row.identity_key,
    bootId: row.boot_id,
    version: row.version,
    registeredAtMs: Number(row.registered_at_ms),
    lastSeenAtMs: Number(row.last_seen_at_ms),
  };
}
