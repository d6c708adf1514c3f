import { sql, type Kysely, type Transaction } from 'kysely';
import { FORGOTTEN_ROWS_MAX, SIGNALS_READ_MAX } from '../limits.js';
import { StorageError } from '../errors.js';
import type { Json, NewSignal, SignalRecord } from '../records.js';
import type { Schema } from '../schema.js';

export type SessionSignalRecord = SignalRecord & { readonly sessionId: string };

/** The signals of the last minutes: whoever missed some, because its control went away, gets them from the next. */
export interface SignalRepository {
  /**
   * Numbers and writes them in their order. Answers the number of each; null for one that is there already: the same
   * sender's of the same request. Errors: sessionTaken when the session has a later term.
   */
  append(sessionId: string, term: number, signals: readonly NewSignal[]): Promise<(number | null)[]>;
  /** Those of some sessions since then, in order; of many the newest SIGNALS_READ_MAX. */
  listSince(sessionIds: readonly string[], sinceMs: number): Promise<SessionSignalRecord[]>;
  /** Forgets older ones, at most FORGOTTEN_ROWS_MAX; answers how many. */
  forget(beforeMs: number): Promise<number>;
}

export function signalRepository(database: Kysely<Schema>): SignalRepository {
  return {
    append: (sessionId, term, signals) =>
      database.transaction().execute((transaction) => append(transaction, sessionId, term, signals)),
    async listSince(sessionIds, sinceMs) {
      if (sessionIds.length === 0) return [];
      const rows = await database
        .selectFrom('signals')
        .selectAll()
        .where('session_id', 'in', [...sessionIds])
        .where('created_at_ms', '>=', sinceMs)
        .orderBy('created_at_ms', 'desc')
        .orderBy('number', 'desc')
        .limit(SIGNALS_READ_MAX)
        .execute();
      return rows
        .map((row) => ({
          sessionId: row.session_id,
          number: Number(row.number),
          toConnectionId: row.to_connection_id,
          event: row.event as Json,
          createdAtMs: Number(row.created_at_ms),
        }))
        .toSorted((a, b) => a.number - b.number);
    },
    async forget(beforeMs) {
      const old = database
        .selectFrom('signals')
        .select(['session_id', 'number'])
        .where('created_at_ms', '<', beforeMs)
        .limit(FORGOTTEN_ROWS_MAX);
      const result = await database
        .deleteFrom('signals')
        .where(({ eb, refTuple }) =>
          eb(refTuple('session_id', 'number'), 'in', old.$asTuple('session_id', 'number')),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

async function append(
  transaction: Transaction<Schema>,
  sessionId: string,
  term: number,
  signals: readonly NewSignal[],
): Promise<(number | null)[]> {
  // The row's lock keeps a second writer out until this one has committed.
  const counted = await transaction
    .updateTable('sessions')
    .set({ signals: sql<number>`signals + ${signals.length}` })
    .where('session_id', '=', sessionId)
    .where('term', '=', term)
    .returning('signals')
    .executeTakeFirst();
  if (counted === undefined) throw new StorageError('sessionTaken', 'Another control keeps the session now.');
  const first = Number(counted.signals) - signals.length + 1;
  const written = await transaction
    .insertInto('signals')
    .values(
      signals.map((signal, index) => ({
        session_id: sessionId,
        number: first + index,
        from_connection_id: signal.fromConnectionId,
        request_id: signal.requestId,
        to_connection_id: signal.toConnectionId,
        event: JSON.stringify(signal.event),
        created_at_ms: signal.createdAtMs,
      })),
    )
    .onConflict((conflict) => conflict.columns(['from_connection_id', 'request_id']).doNothing())
    .returning('number')
    .execute();
  const numbers = new Set(written.map(({ number }) => Number(number)));
  return signals.map((_signal, index) => (numbers.has(first + index) ? first + index : null));
}
