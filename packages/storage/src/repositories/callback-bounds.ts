import { sql, type Kysely, type RawBuilder } from 'kysely';
import { FORGOTTEN_ROWS_MAX, JOB_ERROR_CHARS_MAX } from '../limits.js';
import { CALLBACK_JOB } from '../records.js';
import type { Schema } from '../schema.js';

/** How many callbacks one receiver may have. */
export interface CallbackBounds {
  readonly waiting: number;
  readonly dead: number;
}

/** What one round of sweeping has done, in callbacks. */
export interface CallbackSweep {
  /** Forgotten, waiting or dead, because their receiver was taken away. */
  readonly dropped: number;
  /** Given up, the oldest first, because too many waited for one receiver. */
  readonly crowdedOut: number;
  /** Forgotten, the oldest first, because too many of one receiver were given up. */
  readonly forgotten: number;
  /** There is more to do: at once, if nothing else is to be done. */
  readonly isPartial: boolean;
}

/** What of a receiver is too much: all of it, or what stands at these positions or before. */
interface Excess {
  readonly is_gone: boolean;
  readonly waiting_up_to: string | number | null;
  readonly dead_up_to: string | number | null;
}

/** Callbacks of a receiver that stand at a position or before it. */
interface Beyond {
  readonly subject: string;
  readonly upTo: number;
}

/** One round: of each receiver and kind at most FORGOTTEN_ROWS_MAX, each a statement and so a transaction of its own. */
export async function sweepCallbacks(
  database: Kysely<Schema>,
  nowMs: number,
  bounds: CallbackBounds,
): Promise<CallbackSweep> {
  const sum = { dropped: 0, crowdedOut: 0, forgotten: 0, isPartial: false };
  const count = (kind: 'dropped' | 'crowdedOut' | 'forgotten', rows: number): void => {
    sum[kind] += rows;
    sum.isPartial ||= rows >= FORGOTTEN_ROWS_MAX;
  };
  for (const subject of await subjectsOfJobs(database)) {
    const excess = await excessOf(database, subject, bounds);
    if (excess === null) continue;
    const { is_gone, waiting_up_to, dead_up_to } = excess;
    if (is_gone) {
      count('dropped', await dropOrphans(database, subject));
      continue;
    }
    const waitingMax = bounds.waiting;
    if (waiting_up_to !== null) {
      const beyond = { subject, upTo: Number(waiting_up_to), nowMs, waitingMax };
      count('crowdedOut', await crowdOut(database, beyond));
    }
    if (dead_up_to !== null) {
      const beyond = { subject, upTo: Number(dead_up_to) };
      count('forgotten', await forgetDead(database, beyond));
    }
  }
  return sum;
}

/** Forgets up to FORGOTTEN_ROWS_MAX callbacks, waiting and dead each, of a receiver that is not there. Answers how many. */
export async function dropOrphans(database: Kysely<Schema>, subject: string): Promise<number> {
  const isGone = sql`not exists (select 1 from project_callbacks where callback_id = ${subject})`;
  let dropped = 0;
  // Each by the index that it has.
  for (const isOfKind of [sql`dead_at_ms is null`, sql`dead_at_ms is not null`]) {
    const orphans = anyOfOldest(subject, sql`${isOfKind} and ${isGone}`);
    dropped += await affected(database, sql`delete from jobs where job_id = ${orphans}`);
  }
  return dropped;
}

/** Not those that are being delivered just now. */
function crowdOut(
  database: Kysely<Schema>,
  { subject, upTo, nowMs, waitingMax }: Beyond & { readonly nowMs: number; readonly waitingMax: number },
): Promise<number> {
  const reason = `more than ${waitingMax} callbacks waited for this receiver`;
  const beyond = sql`dead_at_ms is null and position <= ${upTo}
    and (lease_until_ms is null or lease_until_ms <= ${nowMs})`;
  return affected(
    database,
    sql`update jobs
      set dead_at_ms = ${nowMs}, lease_id = null, lease_until_ms = null,
        last_error = left(${reason}::text || coalesce('; before: ' || last_error, ''), ${JOB_ERROR_CHARS_MAX}::int)
      where job_id = ${anyOfOldest(subject, beyond)}`,
  );
}

function forgetDead(database: Kysely<Schema>, { subject, upTo }: Beyond): Promise<number> {
  const beyond = sql`dead_at_ms is not null and position <= ${upTo}`;
  return affected(database, sql`delete from jobs where job_id = ${anyOfOldest(subject, beyond)}`);
}

/** Locked by position, as everybody does who takes several; an array, because a list may be drawn up more than once. */
const anyOfOldest = (subject: string, condition: RawBuilder<unknown>): RawBuilder<unknown> => sql`any(array(
  select job_id from jobs
  where kind = ${CALLBACK_JOB} and subject = ${subject} and ${condition}
  order by position limit ${FORGOTTEN_ROWS_MAX} for update))`;

async function affected(database: Kysely<Schema>, statement: RawBuilder<unknown>): Promise<number> {
  return Number((await statement.execute(database)).numAffectedRows ?? 0);
}

/** Those that have any, found by stepping from one to the next in the indexes. */
async function subjectsOfJobs(database: Kysely<Schema>): Promise<string[]> {
  const { rows } = await sql<{ subject: string }>`
    with recursive
      waiting (subject) as (
        (select subject from jobs where kind = ${CALLBACK_JOB} and dead_at_ms is null order by subject limit 1)
        union all
        select (
          select subject from jobs
          where kind = ${CALLBACK_JOB} and dead_at_ms is null and jobs.subject > waiting.subject
          order by subject limit 1)
        from waiting where waiting.subject is not null),
      dead (subject) as (
        (select subject from jobs where kind = ${CALLBACK_JOB} and dead_at_ms is not null order by subject limit 1)
        union all
        select (
          select subject from jobs
          where kind = ${CALLBACK_JOB} and dead_at_ms is not null and jobs.subject > dead.subject
          order by subject limit 1)
        from dead where dead.subject is not null)
    select subject from waiting where subject is not null
    union select subject from dead where subject is not null`.execute(database);
  return rows.map((row) => row.subject);
}

/**
 * Looks at no more rows of the receiver than it may have. A statement for each: one for all of them is costly enough for
 * PostgreSQL to compile it first, which takes it a second each time.
 */
async function excessOf(
  database: Kysely<Schema>,
  subject: string,
  { waiting, dead }: CallbackBounds,
): Promise<Excess | null> {
  const { rows } = await sql<Excess>`
    select
      not exists (select 1 from project_callbacks where callback_id = ${subject}) as is_gone,
      (select position from jobs
        where kind = ${CALLBACK_JOB} and subject = ${subject} and dead_at_ms is null
        order by position desc offset ${waiting} limit 1) as waiting_up_to,
      (select position from jobs
        where kind = ${CALLBACK_JOB} and subject = ${subject} and dead_at_ms is not null
        order by position desc offset ${dead} limit 1) as dead_up_to`.execute(database);
  return rows[0] ?? null;
}
