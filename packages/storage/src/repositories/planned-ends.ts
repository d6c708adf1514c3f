import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { SESSIONS_TOLD_MAX } from '../limits.js';
import type { AuditEntry, CallbackEvent, CallbackReceiver, PlannedEnd } from '../records.js';
import type { Schema } from '../schema.js';
import { writeAudit } from './audit.js';
import { deliveriesOf, toReceiver } from './callbacks.js';
import { enqueueAll } from './jobs.js';

/** One notice of one plan: which of its times is announced, and under which name receivers ask for it. */
export interface EndNotice {
  readonly planId: string;
  readonly remainingSeconds: number;
  readonly group: string;
  readonly event: string;
  readonly nowMs: number;
}

/** A session that is told now, and the id of that event: the same whoever tells it. */
export interface ToldSession {
  readonly sessionId: string;
  readonly apiKey: string;
  readonly eventId: string;
}

/** Planned ends of nodes, and which sessions were told of them. */
export interface PlannedEndRepository {
  /** By node id. */
  list(): Promise<PlannedEnd[]>;
  /**
   * One plan a node; answers the one that holds. The same time again is the same plan: what was told stays told. Another
   * time takes the place of the former, whose notices do not go out any more.
   */
  set(plan: PlannedEnd, audit: AuditEntry): Promise<PlannedEnd>;
  /** What has not gone out does not go out any more. False when the node has no plan. */
  remove(nodeId: string, audit: AuditEntry): Promise<boolean>;
  /** The plan's node has another process, or another id. A plan that was made for that id before it gives way. */
  follow(planId: string, place: Pick<PlannedEnd, 'nodeId' | 'identityKey' | 'addresses'>): Promise<void>;
  /** Tells nobody any more, and is gone. */
  forget(planId: string): Promise<void>;
  /**
   * Tells sessions with a transport on the plan's node that were not told this yet and whose project wants to hear it:
   * SESSIONS_TOLD_MAX of them at most. Answers those that this call told; none: everybody has been told.
   */
  tell(notice: EndNotice, eventOf: (session: ToldSession) => CallbackEvent): Promise<ToldSession[]>;
}

export function plannedEndRepository(database: Kysely<Schema>): PlannedEndRepository {
  /** Changes of plans happen one after the other; telling does not wait for them, but for the plan that it tells. */
  const alone = <T>(change: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> =>
    database.transaction().execute(async (transaction) => {
      await sql`lock table planned_ends in share row exclusive mode`.execute(transaction);
      return change(transaction);
    });
  return {
    async list() {
      const rows = await database.selectFrom('planned_ends').selectAll().orderBy('node_id').execute();
      return rows.map(toRecord);
    },
    set: (plan, audit) =>
      alone(async (transaction) => {
        const held = await set(transaction, plan);
        await writeAudit(transaction, audit);
        return held;
      }),
    remove: (nodeId, audit) =>
      alone(async (transaction) => {
        if (!(await withdraw(transaction, 'node_id', nodeId))) return false;
        await writeAudit(transaction, audit);
        return true;
      }),
    follow: (planId, place) => alone((transaction) => follow(transaction, planId, place)),
    forget: (planId) =>
      alone(async (transaction) => {
        await withdraw(transaction, 'plan_id', planId);
      }),
    tell: (notice, eventOf) =>
      database.transaction().execute((transaction) => tell(transaction, notice, eventOf)),
  };
}

async function set(transaction: Transaction<Schema>, plan: PlannedEnd): Promise<PlannedEnd> {
  const { nodeId, identityKey, addresses, reason } = plan;
  const before = await planOf(transaction, 'node_id', nodeId);
  if (before !== null && before.endsAtMs === plan.endsAtMs) {
    await transaction
      .updateTable('planned_ends')
      .set({ reason, identity_key: identityKey, addresses: JSON.stringify(addresses) })
      .where('plan_id', '=', before.planId)
      .execute();
    return { ...before, reason, identityKey, addresses };
  }
  await withdraw(transaction, 'node_id', nodeId);
  await transaction
    .insertInto('planned_ends')
    .values({
      plan_id: plan.planId,
      node_id: nodeId,
      identity_key: identityKey,
      addresses: JSON.stringify(addresses),
      ends_at_ms: plan.endsAtMs,
      reason,
      planned_at_ms: plan.plannedAtMs,
    })
    .execute();
  return plan;
}

/** Takes the plan back together with every delivery of it that has not succeeded. */
async function withdraw(
  transaction: Transaction<Schema>,
  column: 'plan_id' | 'node_id',
  value: string,
): Promise<boolean> {
  const plan = await planOf(transaction, column, value);
  if (plan === null) return false;
  await transaction
    .deleteFrom('jobs')
    .where('job_id', 'in', (query) =>
      query
        .selectFrom('end_notices')
        .innerJoin('sessions', 'sessions.session_id', 'end_notices.session_id')
        .innerJoin('project_callbacks', 'project_callbacks.api_key', 'sessions.api_key')
        .select(sql<string>`end_notices.event_id || '.' || project_callbacks.callback_id`.as('job_id'))
        .where('end_notices.plan_id', '=', plan.planId),
    )
    .execute();
  await transaction.deleteFrom('planned_ends').where('plan_id', '=', plan.planId).execute();
  return true;
}

async function follow(
  transaction: Transaction<Schema>,
  planId: string,
  { nodeId, identityKey, addresses }: Pick<PlannedEnd, 'nodeId' | 'identityKey' | 'addresses'>,
): Promise<void> {
  const plan = await planOf(transaction, 'plan_id', planId);
  if (plan === null) return;
  if (plan.nodeId !== nodeId) await withdraw(transaction, 'node_id', nodeId);
  await transaction
    .updateTable('planned_ends')
    .set({ node_id: nodeId, identity_key: identityKey, addresses: JSON.stringify(addresses) })
    .where('plan_id', '=', planId)
    .execute();
}

/** The plan, which nobody changes or tells from here to the end of the transaction. */
async function planOf(
  transaction: Transaction<Schema>,
  column: 'plan_id' | 'node_id',
  value: string,
): Promise<PlannedEnd | null> {
  const query = transaction.selectFrom('planned_ends').selectAll().where(column, '=', value);
  const row = await query.forUpdate().executeTakeFirst();
  return row === undefined ? null : toRecord(row);
}

async function tell(
  transaction: Transaction<Schema>,
  notice: EndNotice,
  eventOf: (session: ToldSession) => CallbackEvent,
): Promise<ToldSession[]> {
  const plan = await planOf(transaction, 'plan_id', notice.planId);
  if (plan === null) return [];
  const told = await noteTold(transaction, plan.nodeId, notice);
  if (told.length === 0) return [];
  const ids = told.map(({ session_id }) => session_id);
  // Callbacks of one session have the order of its changes; in one order, so that two who tell do not wait for each other.
  const sessions = await transaction
    .selectFrom('sessions')
    .select(['session_id', 'api_key'])
    .where('session_id', 'in', ids)
    .orderBy('session_id')
    .forUpdate()
    .execute();
  const receivers = await receiversOf(transaction, new Set(sessions.map(({ api_key }) => api_key)));
  const events = new Map(told.map(({ session_id, event_id }) => [session_id, event_id]));
  const named = sessions.map(({ session_id, api_key }) => ({
    sessionId: session_id,
    apiKey: api_key,
    eventId: events.get(session_id) ?? '',
  }));
  const jobs = named.flatMap((session) =>
    deliveriesOf(session.sessionId, receivers.get(session.apiKey) ?? [], eventOf(session)),
  );
  await enqueueAll(transaction, jobs);
  return named;
}

/** Writes down who is told, before anybody is: what is there already was told by somebody else. */
async function noteTold(
  transaction: Transaction<Schema>,
  nodeId: string,
  { planId, remainingSeconds, group, event, nowMs }: EndNotice,
): Promise<{ session_id: string; event_id: string }[]> {
  const { rows } = await sql<{ session_id: string; event_id: string }>`
    insert into end_notices (plan_id, session_id, remaining_seconds, event_id, told_at_ms)
    select ${planId}::text, due.session_id, ${remainingSeconds}::integer,
      substr(encode(sha256(convert_to(
        ${planId}::text || '/' || due.session_id || '/' || ${remainingSeconds}::text, 'UTF8')), 'hex'), 1, 32)::uuid::text,
      ${nowMs}::bigint
    from (
      select distinct sessions.session_id
      from transports inner join sessions on sessions.session_id = transports.session_id
      where transports.owner_node_id = ${nodeId} and transports.ended_at_ms is null
        and exists (
          select 1 from project_callbacks receiver
          where receiver.api_key = sessions.api_key and receiver.group_name = ${group}
            and receiver.event in ('all', ${event}))
        and not exists (
          select 1 from end_notices told
          where told.plan_id = ${planId} and told.session_id = sessions.session_id
            and told.remaining_seconds = ${remainingSeconds})
      order by sessions.session_id
      limit ${SESSIONS_TOLD_MAX}
    ) due
    on conflict do nothing
    returning session_id, event_id`.execute(transaction);
  return rows;
}

/** By project. */
async function receiversOf(
  transaction: Transaction<Schema>,
  apiKeys: ReadonlySet<string>,
): Promise<Map<string, CallbackReceiver[]>> {
  const rows = await transaction
    .selectFrom('project_callbacks')
    .selectAll()
    .where('api_key', 'in', [...apiKeys])
    .execute();
  const receivers = new Map<string, CallbackReceiver[]>();
  for (const receiver of rows.map(toReceiver))
    receivers.set(receiver.apiKey, [...(receivers.get(receiver.apiKey) ?? []), receiver]);
  return receivers;
}

function toRecord(row: Selectable<Schema['planned_ends']>): PlannedEnd {
  return {
    planId: row.plan_id,
    nodeId: row.node_id,
    identityKey: row.identity_key,
    addresses: row.addresses as string[],
    endsAtMs: Number(row.ends_at_ms),
    reason: row.reason,
    plannedAtMs: Number(row.planned_at_ms),
  };
}
