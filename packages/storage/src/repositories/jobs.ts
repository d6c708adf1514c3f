import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { FORGOTTEN_ROWS_MAX, JOB_ERROR_CHARS_MAX, LIST_ROWS_MAX } from '../limits.js';
import type { Job, Json, LeasedJob } from '../records.js';
import { numberOrNull, type Schema } from '../schema.js';

/** A job that nobody has begun. */
export type NewJob = Omit<Job, 'attempts' | 'deadAtMs' | 'lastError'>;

/** What a worker asks for. */
export interface JobClaim {
  readonly kind: string;
  readonly leaseId: string;
  readonly nowMs: number;
  readonly leaseMs: number;
  /** At most so many, and so many of one group; groups not named here may have `perGroup`. */
  readonly limit: number;
  readonly perGroup: number;
  /** Jobs of a group that this worker has in hand already: they count against `perGroup`. */
  readonly inHand: ReadonlyMap<string, number>;
}

/** Everything that has to be done later, at least once. Of one lane only the first job is ever due. */
export interface JobRepository {
  /** False when there is a job of that id. */
  add(job: NewJob): Promise<boolean>;
  /** Takes due jobs for this worker; no other gets them while the lease lasts. */
  claim(claim: JobClaim): Promise<LeasedJob[]>;
  /** It is done and gone. False when the lease was lost to another worker. */
  complete(jobId: string, leaseId: string): Promise<boolean>;
  /** Not done: once more at that time, and nothing of its lane before. False as above. */
  retry(
    jobId: string,
    leaseId: string,
    again: { readonly runAtMs: number; readonly error: string },
  ): Promise<boolean>;
  /** Given up, and kept; the next of its lane is due. False as above. */
  bury(
    jobId: string,
    leaseId: string,
    end: { readonly nowMs: number; readonly error: string },
  ): Promise<boolean>;
  /** Given up, newest first, at most LIST_ROWS_MAX; of one group, or of all. */
  listDead(group?: string): Promise<Job[]>;
  /** Makes one that was given up due again, as if it were new; behind what waits in its lane. False when it is not there. */
  revive(jobId: string, nowMs: number, group?: string): Promise<boolean>;
  /** How many wait, and how many were given up, by kind. */
  count(): Promise<{ readonly kind: string; readonly waiting: number; readonly dead: number }[]>;
  /** Forgets what was given up before that time, at most FORGOTTEN_ROWS_MAX. Answers how many. */
  forgetDead(beforeMs: number): Promise<number>;
}

export function jobRepository(database: Kysely<Schema>): JobRepository {
  return {
    add: (job) => enqueue(database, job),
    claim: (claim) => database.transaction().execute((transaction) => claimJobs(transaction, claim)),
    async complete(jobId, leaseId) {
      const query = database.deleteFrom('jobs').where('job_id', '=', jobId).where('lease_id', '=', leaseId);
      return (await query.executeTakeFirst()).numDeletedRows === 1n;
    },
    retry: (jobId, leaseId, { runAtMs, error }) =>
      database.transaction().execute(async (transaction) => {
        await postponeLane(transaction, { jobId, leaseId, runAtMs });
        const result = await leased(transaction, jobId, leaseId)
          .set({ run_at_ms: runAtMs, ...givenBack(error) })
          .executeTakeFirst();
        return result.numUpdatedRows === 1n;
      }),
    async bury(jobId, leaseId, { nowMs, error }) {
      const result = await leased(database, jobId, leaseId)
        .set({ dead_at_ms: nowMs, ...givenBack(error) })
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async listDead(group) {
      let query = database.selectFrom('jobs').selectAll().where('dead_at_ms', 'is not', null);
      if (group !== undefined) query = query.where('group_name', '=', group);
      return (await query.orderBy('position', 'desc').limit(LIST_ROWS_MAX).execute()).map(toRecord);
    },
    revive: (jobId, nowMs, group) => revive(database, jobId, nowMs, group),
    async count() {
      const rows = await database
        .selectFrom('jobs')
        .select(['kind', sql<string>`count(*)`.as('all'), sql<string>`count(dead_at_ms)`.as('dead')])
        .groupBy('kind')
        .orderBy('kind')
        .execute();
      return rows.map(({ kind, all, dead }) => ({
        kind,
        waiting: Number(all) - Number(dead),
        dead: Number(dead),
      }));
    },
    async forgetDead(beforeMs) {
      // An array, because a list may be drawn up more than once.
      const result = await sql`
        delete from jobs where job_id = any(array(
          select job_id from jobs where dead_at_ms < ${beforeMs}
          order by position limit ${FORGOTTEN_ROWS_MAX} for update))`.execute(database);
      return Number(result.numAffectedRows ?? 0);
    },
  };
}

/** Writes a job in the transaction of what causes it. False when there is one of that id. */
export async function enqueue(database: Kysely<Schema> | Transaction<Schema>, job: NewJob): Promise<boolean> {
  return (await enqueueAll(database, [job])) === 1;
}

/** The same for several, in their order. Answers how many were not there yet. */
export async function enqueueAll(
  database: Kysely<Schema> | Transaction<Schema>,
  jobs: readonly NewJob[],
): Promise<number> {
  if (jobs.length === 0) return 0;
  const result = await database
    .insertInto('jobs')
    .values(jobs.map(toRow))
    .onConflict((conflict) => conflict.column('job_id').doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows);
}

const toRow = ({ jobId, kind, lane, group, subject, payload, createdAtMs, runAtMs }: NewJob) => ({
  job_id: jobId,
  kind,
  lane,
  group_name: group,
  subject,
  payload: JSON.stringify(payload),
  created_at_ms: createdAtMs,
  run_at_ms: runAtMs,
  lease_id: null,
  lease_until_ms: null,
  dead_at_ms: null,
  last_error: null,
});

async function claimJobs(transaction: Transaction<Schema>, claim: JobClaim): Promise<LeasedJob[]> {
  const { kind, leaseId, nowMs, leaseMs, limit } = claim;
  const candidates = await dueHeads(transaction, claim);
  if (candidates.length === 0) return [];
  const free = transaction
    .selectFrom('jobs')
    .select('job_id')
    .where('job_id', 'in', candidates.slice(0, limit))
    // Another worker may have taken it since it was looked at.
    .where((expression) =>
      expression.or([expression('lease_until_ms', 'is', null), expression('lease_until_ms', '<=', nowMs)]),
    )
    .where('dead_at_ms', 'is', null)
    .where('run_at_ms', '<=', nowMs)
    .forUpdate()
    .skipLocked();
  const rows = await transaction
    .updateTable('jobs')
    .set((expression) => ({
      lease_id: leaseId,
      lease_until_ms: nowMs + leaseMs,
      attempts: expression('attempts', '+', 1),
    }))
    .where('job_id', 'in', free)
    .where('kind', '=', kind)
    .returningAll()
    .execute();
  return rows
    .toSorted((a, b) => Number(a.position) - Number(b.position))
    .map((row) => ({ ...toRecord(row), leaseId }));
}

/** The first job of each lane, where it is due and free; of each group at most as many as the worker may still take. */
async function dueHeads(
  transaction: Transaction<Schema>,
  { kind, nowMs, limit, perGroup, inHand }: JobClaim,
): Promise<string[]> {
  const full = [...inHand].filter(([, count]) => count >= perGroup).map(([group]) => group);
  const { rows } = await sql<{ job_id: string; group_name: string; place: string | number }>`
    select job_id, group_name, place from (
      select job_id, group_name, run_at_ms, position,
        row_number() over (partition by group_name order by run_at_ms, position) as place
      from jobs
      where kind = ${kind} and dead_at_ms is null and run_at_ms <= ${nowMs}
        and (lease_until_ms is null or lease_until_ms <= ${nowMs})
        and group_name <> all(${full})
        and not exists (
          select 1 from jobs earlier
          where earlier.kind = jobs.kind and earlier.lane = jobs.lane
            and earlier.dead_at_ms is null and earlier.position < jobs.position)
    ) heads
    where place <= ${perGroup}
    order by run_at_ms, position
    limit ${limit}`.execute(transaction);
  return rows
    .filter(({ group_name, place }) => Number(place) <= perGroup - (inHand.get(group_name) ?? 0))
    .map((row) => row.job_id);
}

/**
 * A job that a worker has, and what waits behind it, which is not looked at until then. Whoever takes several jobs locks them
 * by position, here as elsewhere: two that took them in another order would wait for each other.
 */
async function postponeLane(
  transaction: Transaction<Schema>,
  { jobId, leaseId, runAtMs }: { readonly jobId: string; readonly leaseId: string; readonly runAtMs: number },
): Promise<void> {
  await sql`
    update jobs set run_at_ms = ${runAtMs} where job_id in (
      select lane.job_id from jobs taken
      join jobs lane on lane.kind = taken.kind and lane.lane = taken.lane
      where taken.job_id = ${jobId} and taken.lease_id = ${leaseId}
        and lane.dead_at_ms is null and lane.run_at_ms < ${runAtMs}
      order by lane.position
      for update of lane)`.execute(transaction);
}

/** Behind the others of its lane: what came after it has been told already. */
async function revive(
  database: Kysely<Schema>,
  jobId: string,
  nowMs: number,
  group: string | undefined,
): Promise<boolean> {
  let query = database
    .updateTable('jobs')
    .set({
      dead_at_ms: null,
      run_at_ms: nowMs,
      created_at_ms: nowMs,
      attempts: 0,
      position: sql<string>`nextval(pg_get_serial_sequence('jobs', 'position'))`,
    })
    .where('job_id', '=', jobId)
    .where('dead_at_ms', 'is not', null);
  if (group !== undefined) query = query.where('group_name', '=', group);
  return (await query.executeTakeFirst()).numUpdatedRows === 1n;
}

/** The job, as long as the worker has it. */
const leased = (database: Kysely<Schema>, jobId: string, leaseId: string) =>
  database.updateTable('jobs').where('job_id', '=', jobId).where('lease_id', '=', leaseId);

/** Not done, and nobody's any more. */
const givenBack = (error: string) => ({
  last_error: error.slice(0, JOB_ERROR_CHARS_MAX),
  lease_id: null,
  lease_until_ms: null,
});

function toRecord(row: Selectable<Schema['jobs']>): Job {
  return {
    jobId: row.job_id,
    kind: row.kind,
    lane: row.lane,
    group: row.group_name,
    subject: row.subject,
    payload: row.payload as Json,
    createdAtMs: Number(row.created_at_ms),
    runAtMs: Number(row.run_at_ms),
    attempts: row.attempts,
    deadAtMs: numberOrNull(row.dead_at_ms),
    lastError: row.last_error,
  };
}
