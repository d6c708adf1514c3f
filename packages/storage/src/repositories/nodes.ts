import { sql, type Kysely, type Selectable } from 'kysely';
import { LIST_ROWS_MAX } from '../limits.js';
import type { NodeRecord } from '../records.js';
import type { Schema } from '../schema.js';

/** A node as it registers: its id is the storage's to give. */
export type RegisteringNode = Omit<NodeRecord, 'nodeId'>;

export interface NodeRepository {
  /**
   * The id of the node with that identity, and notes its new process: the one that it has, else the first of the wished
   * ids that is free. Null: none is. An id keeps the identity key of its first registration.
   */
  register(node: RegisteringNode, wishedIds: readonly string[]): Promise<string | null>;
  get(nodeId: string): Promise<NodeRecord | null>;
  list(): Promise<NodeRecord[]>;
  seen(nodeIds: readonly string[], nowMs: number): Promise<void>;
  /** Forgets nodes that nobody has seen since then, that own nothing and are about to own nothing; answers their ids. */
  forgetIdle(beforeMs: number): Promise<string[]>;
}

export function nodeRepository(database: Kysely<Schema>): NodeRepository {
  return {
    register: (node, wishedIds) => register(database, node, wishedIds),
    async get(nodeId) {
      const row = await database
        .selectFrom('nodes')
        .selectAll()
        .where('node_id', '=', nodeId)
        .executeTakeFirst();
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
    async seen(nodeIds, nowMs) {
      if (nodeIds.length === 0) return;
      await database
        .updateTable('nodes')
        .set({ last_seen_at_ms: nowMs })
        .where('node_id', 'in', [...nodeIds])
        .execute();
    },
    forgetIdle: (beforeMs) => forgetIdle(database, beforeMs),
  };
}

async function register(
  database: Kysely<Schema>,
  node: RegisteringNode,
  wishedIds: readonly string[],
): Promise<string | null> {
  const process = {
    boot_id: node.bootId,
    version: node.version,
    registered_at_ms: node.registeredAtMs,
    last_seen_at_ms: node.lastSeenAtMs,
  };
  const known = async (): Promise<string | null> => {
    const query = database.updateTable('nodes').set(process).where('identity_key', '=', node.identityKey);
    return (await query.returning('node_id').executeTakeFirst())?.node_id ?? null;
  };
  const nodeId = await known();
  if (nodeId !== null) return nodeId;
  const taken = new Set(
    (await database.selectFrom('nodes').select('node_id').execute()).map((row) => row.node_id),
  );
  for (const wishedId of wishedIds) {
    if (taken.has(wishedId)) continue;
    const row = await database
      .insertInto('nodes')
      .values({ node_id: wishedId, identity_key: node.identityKey, ...process })
      .onConflict((conflict) => conflict.doNothing())
      .returning('node_id')
      .executeTakeFirst();
    if (row !== undefined) return row.node_id;
    // Another node was quicker, or this one registers with another control just now.
    const meanwhile = await known();
    if (meanwhile !== null) return meanwhile;
  }
  return null;
}

async function forgetIdle(database: Kysely<Schema>, beforeMs: number): Promise<string[]> {
  const isBound = sql<boolean>`exists (
    select 1 from transports where ended_at_ms is null and (
      owner_node_id = nodes.node_id or (intent_open and nodes.node_id in (intent_target_node_id, intent_source_node_id))))`;
  const rows = await database
    .deleteFrom('nodes')
    .where('last_seen_at_ms', '<', beforeMs)
    .where(({ not }) => not(isBound))
    .returning('node_id')
    .execute();
  return rows.map((row) => row.node_id);
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
