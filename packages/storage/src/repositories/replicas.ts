import { sql, type Kysely } from 'kysely';
import { StorageError } from '../errors.js';
import type { KeptSession, ReplicaRecord } from '../records.js';
import type { Schema } from '../schema.js';
import { toSessionRecord } from './sessions.js';

/** Who keeps a session, as the one who asked is told. */
export type Keeping =
  | { readonly isOurs: true; readonly kept: KeptSession }
  | { readonly isOurs: false; readonly keeper: ReplicaRecord };

/** Which control keeps which session. A replica that is not there any more keeps nothing. */
export interface ReplicaRepository {
  /** For a database that one process has to itself: every earlier replica is gone, and what it kept is nobody's. */
  beginAlone(replica: ReplicaRecord): Promise<void>;
  /** Takes the session unless another replica keeps it, in a new term. Null: there is no such session. */
  keep(sessionId: string, replicaId: string): Promise<Keeping | null>;
  /** Takes sessions that somebody is in, or a migration of which has not ended, and nobody keeps; each in a new term. */
  keepOrphans(replicaId: string, limit: number): Promise<KeptSession[]>;
  /**
   * A term above all that were ever used, for a keeper whose nodes have heard of a later one than the database knows: it was
   * restored from an older copy. Null when the replica does not keep the session in that term.
   */
  raiseTerm(sessionId: string, replicaId: string, term: number): Promise<number | null>;
  /** Whoever asks next keeps it. Does nothing when the replica does not keep it in that term. */
  letGo(sessionId: string, replicaId: string, term: number): Promise<void>;
  /** Null: nobody, or no such session. */
  keeperOf(sessionId: string): Promise<ReplicaRecord | null>;
}

/** Terms of one session that a database may have lost when an older copy of it is restored: a session changes hands now and then. */
export const TERMS_LOST_MAX = 1_000;
/** Signals of one session that went with them: numbers only grow, too. */
export const SIGNALS_LOST_MAX = 1_000_000;
/** Somebody else may take or let go between two statements: then it is looked at again. */
const KEEP_ATTEMPTS_MAX = 5;

export function replicaRepository(database: Kysely<Schema>): ReplicaRepository {
  return {
    beginAlone: (replica) => beginAlone(database, replica),
    async keep(sessionId, replicaId) {
      for (let attempt = 1; ; attempt++) {
        const keeping = await look(database, sessionId, replicaId);
        if (keeping !== 'nobody') return keeping;
        const kept = await take(database, sessionId, replicaId);
        if (kept !== null) return { isOurs: true, kept };
        if (attempt === KEEP_ATTEMPTS_MAX) throw new Error('a session changes hands without end');
      }
    },
    keepOrphans: (replicaId, limit) => keepOrphans(database, replicaId, limit),
    async raiseTerm(sessionId, replicaId, term) {
      const row = await database
        .updateTable('sessions')
        .set({ term: term + TERMS_LOST_MAX, signals: sql<number>`signals + ${SIGNALS_LOST_MAX}` })
        .where('session_id', '=', sessionId)
        .where('replica_id', '=', replicaId)
        .where('term', '=', term)
        .returning('term')
        .executeTakeFirst();
      return row === undefined ? null : Number(row.term);
    },
    async letGo(sessionId, replicaId, term) {
      await database
        .updateTable('sessions')
        .set({ replica_id: null })
        .where('session_id', '=', sessionId)
        .where('replica_id', '=', replicaId)
        .where('term', '=', term)
        .execute();
    },
    async keeperOf(sessionId) {
      const row = await database
        .selectFrom('sessions')
        .innerJoin('replicas', 'replicas.replica_id', 'sessions.replica_id')
        .select(['replicas.replica_id', 'replicas.url', 'replicas.started_at_ms'])
        .where('session_id', '=', sessionId)
        .executeTakeFirst();
      return row === undefined ? null : toReplica(row);
    },
  };
}

function beginAlone(database: Kysely<Schema>, replica: ReplicaRecord): Promise<void> {
  return database.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('replicas').execute();
    await transaction
      .insertInto('replicas')
      .values({
        replica_id: replica.replicaId,
        url: replica.url,
        fingerprint: '',
        started_at_ms: replica.startedAtMs,
        lease_until: sql<Date>`'infinity'`,
      })
      .execute();
  });
}

async function keepOrphans(
  database: Kysely<Schema>,
  replicaId: string,
  limit: number,
): Promise<KeptSession[]> {
  const orphans = database
    .selectFrom('sessions')
    .select('session_id')
    .where('replica_id', 'is', null)
    .where(({ eb, or, selectFrom }) =>
      or([
        eb(
          'session_id',
          'in',
          selectFrom('connections').select('session_id').where('ended_at_ms', 'is', null),
        ),
        eb(
          'session_id',
          'in',
          selectFrom('migrations').select('session_id').where('ended_at_ms', 'is', null),
        ),
      ]),
    )
    .limit(limit)
    .forUpdate()
    .skipLocked();
  const rows = await database
    .updateTable('sessions')
    .set({ replica_id: replicaId, term: sql<number>`term + 1` })
    .where('session_id', 'in', orphans)
    .where('replica_id', 'is', null)
    .returningAll()
    .execute()
    .catch(refuseWhenGone);
  return rows.map(toKept);
}

async function look(
  database: Kysely<Schema>,
  sessionId: string,
  replicaId: string,
): Promise<Keeping | null | 'nobody'> {
  const row = await database
    .selectFrom('sessions')
    .leftJoin('replicas', 'replicas.replica_id', 'sessions.replica_id')
    .selectAll('sessions')
    .select(['replicas.url', 'replicas.started_at_ms'])
    .where('session_id', '=', sessionId)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (row.replica_id === null) return 'nobody';
  if (row.replica_id === replicaId) return { isOurs: true, kept: toKept(row) };
  const { replica_id, url, started_at_ms } = row;
  return { isOurs: false, keeper: toReplica({ replica_id, url, started_at_ms: started_at_ms ?? 0 }) };
}

async function take(
  database: Kysely<Schema>,
  sessionId: string,
  replicaId: string,
): Promise<KeptSession | null> {
  const row = await database
    .updateTable('sessions')
    .set({ replica_id: replicaId, term: sql<number>`term + 1` })
    .where('session_id', '=', sessionId)
    .where('replica_id', 'is', null)
    .returningAll()
    .executeTakeFirst()
    .catch(refuseWhenGone);
  return row === undefined ? null : toKept(row);
}

/** SQLSTATE of a reference to a row that is not there. */
const FOREIGN_KEY_VIOLATION = '23503';

function refuseWhenGone(error: unknown): never {
  if ((error as { code?: unknown }).code !== FOREIGN_KEY_VIOLATION) throw error;
  throw new StorageError('unavailable', 'The others have taken this control for dead.', { cause: error });
}

function toKept(row: Parameters<typeof toSessionRecord>[0]): KeptSession {
  return { record: toSessionRecord(row), term: Number(row.term), signals: Number(row.signals) };
}

function toReplica(row: {
  readonly replica_id: string;
  readonly url: string | null;
  readonly started_at_ms: string | number;
}): ReplicaRecord {
  return { replicaId: row.replica_id, url: row.url, startedAtMs: Number(row.started_at_ms) };
}
