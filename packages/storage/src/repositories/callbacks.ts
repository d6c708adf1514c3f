import type { Kysely, Selectable, Transaction } from 'kysely';
import { CALLBACK_RECEIVERS_MAX } from '../limits.js';
import { CALLBACK_JOB, type AuditEntry, type CallbackEvent, type CallbackReceiver } from '../records.js';
import { writeAudit } from './audit.js';
import { dropOrphans, sweepCallbacks, type CallbackBounds, type CallbackSweep } from './callback-bounds.js';
import type { Schema } from '../schema.js';
import { enqueueAll, type NewJob } from './jobs.js';
import { lockProject } from './projects.js';

/** What a delivery needs to know. */
export type CallbackDelivery = Pick<CallbackEvent, 'eventId' | 'event' | 'body'> & {
  readonly sessionId: string;
};

/** Receivers of callbacks; every change is written together with its line of the audit. */
export interface CallbackRepository {
  /** False when the project has CALLBACK_RECEIVERS_MAX already. */
  add(receiver: CallbackReceiver, audit: AuditEntry): Promise<boolean>;
  /** Adds the receiver, or gives the one of that id another address: what waits goes there. */
  put(receiver: CallbackReceiver, audit: AuditEntry): Promise<void>;
  get(callbackId: string): Promise<CallbackReceiver | null>;
  /** Oldest first. */
  list(apiKey: string): Promise<CallbackReceiver[]>;
  /** What was still to be delivered to it is not, and goes with the next sweeps. False when the project has no such receiver. */
  remove(apiKey: string, callbackId: string, audit: AuditEntry): Promise<boolean>;
  /** One round of keeping each receiver's callbacks within bounds; to be called again while it has done a part only. */
  sweep(nowMs: number, bounds: CallbackBounds): Promise<CallbackSweep>;
}

export function callbackRepository(database: Kysely<Schema>): CallbackRepository {
  const inTransaction = <T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> =>
    database.transaction().execute(work);
  return {
    add: (receiver, audit) =>
      inTransaction(async (transaction) => {
        const isAdded = await add(transaction, receiver);
        if (isAdded) await writeAudit(transaction, audit);
        return isAdded;
      }),
    async put(receiver, audit) {
      // What one of its id was to be told that has been taken away is not for this one.
      while ((await dropOrphans(database, receiver.callbackId)) > 0);
      await inTransaction(async (transaction) => {
        await put(transaction, receiver);
        await writeAudit(transaction, audit);
      });
    },
    async get(callbackId) {
      const query = database
        .selectFrom('project_callbacks')
        .selectAll()
        .where('callback_id', '=', callbackId);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : toReceiver(row);
    },
    async list(apiKey) {
      const rows = await database
        .selectFrom('project_callbacks')
        .selectAll()
        .where('api_key', '=', apiKey)
        .orderBy('created_at_ms')
        .orderBy('callback_id')
        .execute();
      return rows.map(toReceiver);
    },
    remove: (apiKey, callbackId, audit) =>
      inTransaction(async (transaction) => {
        const result = await transaction
          .deleteFrom('project_callbacks')
          .where('callback_id', '=', callbackId)
          .where('api_key', '=', apiKey)
          .executeTakeFirst();
        if (result.numDeletedRows !== 1n) return false;
        await writeAudit(transaction, audit);
        return true;
      }),
    sweep: (nowMs, bounds) => sweepCallbacks(database, nowMs, bounds),
  };
}

async function put(transaction: Transaction<Schema>, receiver: CallbackReceiver): Promise<void> {
  const { group, event, url } = receiver;
  await transaction
    .insertInto('project_callbacks')
    .values(toRow(receiver))
    .onConflict((conflict) => conflict.column('callback_id').doUpdateSet({ group_name: group, event, url }))
    .execute();
}

async function add(transaction: Transaction<Schema>, receiver: CallbackReceiver): Promise<boolean> {
  const { apiKey } = receiver;
  // Two that are added at once must not both be the last that fits.
  await lockProject(transaction, apiKey);
  const { count } = await transaction
    .selectFrom('project_callbacks')
    .select((expression) => expression.fn.countAll().as('count'))
    .where('api_key', '=', apiKey)
    .executeTakeFirstOrThrow();
  if (Number(count) >= CALLBACK_RECEIVERS_MAX) return false;
  await transaction.insertInto('project_callbacks').values(toRow(receiver)).execute();
  return true;
}

const toRow = ({ callbackId, apiKey, group, event, url, createdAtMs }: CallbackReceiver) => ({
  callback_id: callbackId,
  api_key: apiKey,
  group_name: group,
  event,
  url,
  created_at_ms: createdAtMs,
});

/** Writes callbacks in the transaction of what they tell. */
export interface Announcement {
  tell(events: readonly CallbackEvent[]): Promise<void>;
}

/**
 * To be asked for before anything of the session is changed; null when nobody wants to hear. Otherwise changes of one
 * session happen one after the other from here to the end of the transaction: their callbacks are in their order.
 */
export async function openAnnouncement(
  transaction: Transaction<Schema>,
  sessionId: string,
): Promise<Announcement | null> {
  const receivers = await receiversOf(transaction, sessionId);
  if (receivers.length === 0) return null;
  await lockSession(transaction, sessionId);
  return { tell: (events) => announce(transaction, sessionId, receivers, events) };
}

async function receiversOf(transaction: Transaction<Schema>, sessionId: string): Promise<CallbackReceiver[]> {
  const rows = await transaction
    .selectFrom('project_callbacks')
    .innerJoin('sessions', 'sessions.api_key', 'project_callbacks.api_key')
    .selectAll('project_callbacks')
    .where('sessions.session_id', '=', sessionId)
    .execute();
  return rows.map(toReceiver);
}

async function lockSession(transaction: Transaction<Schema>, sessionId: string): Promise<void> {
  const query = transaction.selectFrom('sessions').select('session_id').where('session_id', '=', sessionId);
  await query.forUpdate().executeTakeFirst();
}

async function announce(
  transaction: Transaction<Schema>,
  sessionId: string,
  receivers: readonly CallbackReceiver[],
  events: readonly CallbackEvent[],
): Promise<void> {
  const jobs = events.flatMap((event) => deliveriesOf(sessionId, receivers, event));
  await enqueueAll(transaction, jobs);
}

/** One job for each of the receivers that want the event. */
export function deliveriesOf(
  sessionId: string,
  receivers: readonly CallbackReceiver[],
  { eventId, group, event, body, createdAtMs }: CallbackEvent,
): NewJob[] {
  return receivers
    .filter((receiver) => receiver.group === group && (receiver.event === 'all' || receiver.event === event))
    .map(({ callbackId, apiKey }) => ({
      jobId: `${eventId}.${callbackId}`,
      kind: CALLBACK_JOB,
      lane: `${callbackId}/${sessionId}`,
      group: apiKey,
      subject: callbackId,
      payload: { eventId, event, body, sessionId } satisfies CallbackDelivery,
      createdAtMs,
      runAtMs: createdAtMs,
    }));
}

/** A row of the table as a value. */
export function toReceiver(row: Selectable<Schema['project_callbacks']>): CallbackReceiver {
  return {
    callbackId: row.callback_id,
    apiKey: row.api_key,
    group: row.group_name,
    event: row.event,
    url: row.url,
    createdAtMs: Number(row.created_at_ms),
  };
}
