import { sql, type Kysely, type Migration } from 'kysely';

const statements = [
  `alter table sessions add column mute_forced boolean not null default false`,
  `alter table connections add column layout_classes text not null default ''`,
  `alter table streams add column layout_classes text not null default ''`,
];

/** Sessions that are muted, and the layout classes of streams: words with a space between them. */
export const moderation: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(database);
  },
};
