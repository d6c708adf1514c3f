import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  `alter table transports add column intent_source_node_id text`,
  `alter table transports add column intent_open boolean not null default false`,
  `update transports set intent_source_node_id = owner_node_id, intent_open = true where intent_move_id is not null`,
];

/** The last grant outlives the end of its move: a source that took the transport back may say so late. */
export const closedIntents: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
