import { StorageError } from '../errors.js';
import { SIGNALS_READ_MAX } from '../limits.js';
import type { KeptSession, NewSignal, ReplicaRecord, SessionRecord } from '../records.js';
import { SIGNALS_LOST_MAX, TERMS_LOST_MAX, type ReplicaRepository } from '../repositories/replicas.js';
import type { SignalRepository } from '../repositories/signals.js';
import { answer, copyOf, done, type PlainKeeping, type PlainTables } from './plain-tables.js';

export function replicasOf({
  replicas,
  keeping,
  sessions,
  connections,
  migrations,
}: PlainTables): ReplicaRepository {
  const stateOf = (sessionId: string): PlainKeeping =>
    keeping.get(sessionId) ?? { replicaId: null, term: 0, signals: 0 };
  const take = (record: SessionRecord, replicaId: string): KeptSession => {
    const { term, signals } = stateOf(record.sessionId);
    keeping.set(record.sessionId, { replicaId, term: term + 1, signals });
    return { record, term: term + 1, signals };
  };
  const keeperOf = (sessionId: string): ReplicaRecord | null =>
    replicas.get(stateOf(sessionId).replicaId ?? '') ?? null;
  return {
    beginAlone: (replica) => {
      replicas.clear();
      replicas.set(replica.replicaId, replica);
      return done;
    },
    keep: (sessionId, replicaId) => {
      const record = sessions.get(sessionId);
      if (record === undefined) return answer(null);
      const keeper = keeperOf(sessionId);
      if (keeper === null) return answer({ isOurs: true, kept: take(record, replicaId) });
      if (keeper.replicaId !== replicaId) return answer({ isOurs: false, keeper });
      const { term, signals } = stateOf(sessionId);
      return answer({ isOurs: true, kept: { record, term, signals } });
    },
    keepOrphans: (replicaId, limit) => {
      const live = [...connections.values(), ...migrations.values()].filter(
        ({ endedAtMs }) => endedAtMs === null,
      );
      const inhabited = new Set(live.map(({ sessionId }) => sessionId));
      const orphans = [...sessions.values()].filter(
        ({ sessionId }) => inhabited.has(sessionId) && keeperOf(sessionId) === null,
      );
      return answer(orphans.slice(0, limit).map((record) => take(record, replicaId)));
    },
    raiseTerm: (sessionId, replicaId, term) => {
      const state = stateOf(sessionId);
      if (state.replicaId !== replicaId || state.term !== term) return answer(null);
      keeping.set(sessionId, {
        ...state,
        term: term + TERMS_LOST_MAX,
        signals: state.signals + SIGNALS_LOST_MAX,
      });
      return answer(term + TERMS_LOST_MAX);
    },
    letGo: (sessionId, replicaId, term) => {
      const state = stateOf(sessionId);
      if (state.replicaId === replicaId && state.term === term)
        keeping.set(sessionId, { ...state, replicaId: null });
      return done;
    },
    keeperOf: (sessionId) => answer(keeperOf(sessionId)),
  };
}

export function signalsOf({ keeping, signals: tables }: PlainTables): SignalRepository {
  return {
    append: (sessionId, term, added) => {
      const state = keeping.get(sessionId);
      if (state?.term !== term)
        return Promise.reject(new StorageError('sessionTaken', 'Another control keeps the session now.'));
      keeping.set(sessionId, { ...state, signals: state.signals + added.length });
      const rows = tables.get(sessionId) ?? [];
      tables.set(sessionId, rows);
      const isThere = ({ fromConnectionId, requestId }: NewSignal): boolean =>
        fromConnectionId !== null &&
        requestId !== null &&
        rows.some((row) => row.fromConnectionId === fromConnectionId && row.requestId === requestId);
      return answer(
        added.map((signal, index) => {
          if (isThere(signal)) return null;
          const number = state.signals + index + 1;
          rows.push({ ...signal, event: copyOf(signal.event), number });
          return number;
        }),
      );
    },
    listSince: (sessionIds, sinceMs) =>
      answer(
        sessionIds.flatMap((sessionId) =>
          (tables.get(sessionId) ?? [])
            .filter(({ createdAtMs }) => createdAtMs >= sinceMs)
            .slice(-SIGNALS_READ_MAX)
            .map((row) => ({ ...row, sessionId })),
        ),
      ),
    forget: (beforeMs) => {
      let count = 0;
      for (const [sessionId, rows] of tables) {
        const kept = rows.filter(({ createdAtMs }) => createdAtMs >= beforeMs);
        count += rows.length - kept.length;
        tables.set(sessionId, kept);
      }
      return answer(count);
    },
  };
}
