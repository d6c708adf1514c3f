import { MIGRATION_HISTORY_MAX } from '../limits.js';
import type { MoveIntent, SessionRecord, TransportRecord } from '../records.js';
import type { MetaRepository } from '../repositories/meta.js';
import type { MigrationRepository } from '../repositories/migrations.js';
import type { MoveRepository } from '../repositories/moves.js';
import type { NodeRepository } from '../repositories/nodes.js';
import type { SessionRepository } from '../repositories/sessions.js';
import type { StreamRepository } from '../repositories/streams.js';
import type { ConnectionRepository } from '../repositories/connections.js';
import type { TransportRepository } from '../repositories/transports.js';
import type { RosterStorage } from '../storage.js';
import { replicasOf, signalsOf } from './plain-replicas.js';
import { answer, change, copyOf, createPlainTables, done, type PlainTables } from './plain-tables.js';

/**
 * The roster's half of the port over maps: passes its contract suite, tells no callbacks, answers in the turn in which it is asked, and costs microseconds. For
 * tests and the simulation; several may share the tables, as several controls would share a database.
 */
export function openPlainStorage(tables: PlainTables = createPlainTables()): RosterStorage {
  return {
    meta: metaOf(tables),
    nodes: nodesOf(tables),
    sessions: sessionsOf(tables),
    connections: connectionsOf(tables),
    streams: streamsOf(tables),
    transports: transportsOf(tables),
    migrations: migrationsOf(tables),
    moves: movesOf(tables),
    replicas: replicasOf(tables),
    signals: signalsOf(tables),
    close: () => Promise.resolve(),
  };
}

const isLive = ({ endedAtMs }: { readonly endedAtMs: number | null }): boolean => endedAtMs === null;
const ofSessions =
  (sessionIds?: readonly string[]) =>
  (row: { readonly sessionId: string }): boolean =>
    sessionIds === undefined || sessionIds.includes(row.sessionId);

function metaOf({ meta }: PlainTables): MetaRepository {
  return {
    get: (key) => answer(meta.get(key) ?? null),
    set: (key, value) => {
      meta.set(key, value);
      return done;
    },
  };
}

function nodesOf({ nodes, transports }: PlainTables): NodeRepository {
  const isBound = (nodeId: string): boolean =>
    [...transports.values()]
      .filter(isLive)
      .some(
        ({ ownerNodeId, intent }) =>
          ownerNodeId === nodeId || intent?.targetNodeId === nodeId || intent?.sourceNodeId === nodeId,
      );
  return {
    register: (node, wishedIds) => {
      const known = [...nodes.values()].find(({ identityKey }) => identityKey === node.identityKey);
      const nodeId = known?.nodeId ?? wishedIds.find((wishedId) => !nodes.has(wishedId)) ?? null;
      if (nodeId !== null) nodes.set(nodeId, { ...node, nodeId });
      return answer(nodeId);
    },
    get: (nodeId) => answer(nodes.get(nodeId) ?? null),
    list: () => answer([...nodes.values()].toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1))),
    seen: (nodeIds, lastSeenAtMs) => {
      for (const nodeId of nodeIds) {
        change(
          nodes,
          nodeId,
          () => true,
          () => ({ lastSeenAtMs }),
        );
      }
      return done;
    },
    forgetIdle: (beforeMs) => {
      const idle = [...nodes.values()].filter(
        ({ nodeId, lastSeenAtMs }) => lastSeenAtMs < beforeMs && !isBound(nodeId),
      );
      for (const { nodeId } of idle) nodes.delete(nodeId);
      return answer(idle.map(({ nodeId }) => nodeId));
    },
  };
}

function sessionsOf({ sessions, connections, streams }: PlainTables): SessionRepository {
  const named = (demoName: string): SessionRecord | null =>
    [...sessions.values()].find((session) => session.demoName === demoName) ?? null;
  return {
    create: (session) => {
      const isTaken =
        sessions.has(session.sessionId) || (session.demoName !== null && named(session.demoName) !== null);
      if (!isTaken) sessions.set(session.sessionId, session);
      return answer(!isTaken);
    },
    get: (sessionId) => answer(sessions.get(sessionId) ?? null),
    getByDemoName: (demoName) => answer(named(demoName)),
    countDemo: () => answer([...sessions.values()].filter(({ demo }) => demo).length),
    list: () => answer([...sessions.values()].toSorted((a, b) => b.createdAtMs - a.createdAtMs)),
    countLive: (sessionIds) => {
      const live = [...connections.values()].filter(isLive);
      const published = [...streams.values()].filter((row) => isLive(row) && row.publishedAtMs !== null);
      const count = (rows: readonly { readonly sessionId: string }[], sessionId: string): number =>
        rows.filter((row) => row.sessionId === sessionId).length;
      const counts = sessionIds.map(
        (sessionId) =>
          [sessionId, { connections: count(live, sessionId), streams: count(published, sessionId) }] as const,
      );
      return answer(new Map(counts.filter(([, { connections: inside }]) => inside > 0)));
    },
    setHomeNode: (sessionId, homeNodeId) => {
      change(
        sessions,
        sessionId,
        () => true,
        () => ({ homeNodeId }),
      );
      return done;
    },
    setMuteForced: (sessionId, muteForced) => {
      change(
        sessions,
        sessionId,
        () => true,
        () => ({ muteForced }),
      );
      return done;
    },
    migrationEnded: (sessionId, lastMigrationEndedAtMs) => {
      change(
        sessions,
        sessionId,
        () => true,
        () => ({ lastMigrationEndedAtMs }),
      );
      return done;
    },
  };
}

function connectionsOf({ connections, streams, transports }: PlainTables): ConnectionRepository {
  return {
    create: (connection) => {
      connections.set(connection.connectionId, connection);
      return done;
    },
    get: (connectionId) => answer(connections.get(connectionId) ?? null),
    listLive: (sessionIds) => answer([...connections.values()].filter(isLive).filter(ofSessions(sessionIds))),
    end: (connectionId, endReason, endedAtMs) => {
      const ended = change(connections, connectionId, isLive, () => ({ endedAtMs, endReason }));
      if (!ended) return answer(false);
      for (const row of streams.values()) {
        if (row.connectionId === connectionId) change(streams, row.streamId, isLive, () => ({ endedAtMs }));
      }
      for (const row of transports.values()) {
        if (row.connectionId !== connectionId) continue;
        change(transports, row.transportId, isLive, () => ({ endedAtMs, negotiated: null }));
      }
      return answer(true);
    },
    forgetEnded: (beforeMs) => {
      const isOld = ({ endedAtMs }: { readonly endedAtMs: number | null }): boolean =>
        endedAtMs !== null && endedAtMs < beforeMs;
      for (const [id, row] of streams) if (isOld(row)) streams.delete(id);
      for (const [id, row] of transports) if (isOld(row)) transports.delete(id);
      const old = [...connections.values()].filter(isOld);
      for (const { connectionId } of old) connections.delete(connectionId);
      return answer(old.length);
    },
  };
}

function streamsOf({ streams }: PlainTables): StreamRepository {
  return {
    create: (stream) => {
      streams.set(stream.streamId, { ...stream, info: copyOf(stream.info) });
      return done;
    },
    listLive: (sessionIds) => answer([...streams.values()].filter(isLive).filter(ofSessions(sessionIds))),
    update: (streamId, info) => {
      change(
        streams,
        streamId,
        () => true,
        () => ({ info: copyOf(info) }),
      );
      return done;
    },
    setLayoutClasses: (streamId, layoutClasses) => {
      change(
        streams,
        streamId,
        () => true,
        () => ({ layoutClasses }),
      );
      return done;
    },
    publish: (streamId, publishedAtMs) =>
      answer(
        change(
          streams,
          streamId,
          (row) => isLive(row) && row.publishedAtMs === null,
          () => ({ publishedAtMs }),
        ),
      ),
    end: (streamId, endedAtMs) => answer(change(streams, streamId, isLive, () => ({ endedAtMs }))),
  };
}

type Outcomes = Pick<TransportRepository, 'beginMove' | 'endMove' | 'correctMove' | 'decideMove'>;

function outcomesOf(transports: Map<string, TransportRecord>): Outcomes {
  return {
    beginMove: (transportId, { ownerNodeId, epoch }, { moveId, targetNodeId }) => {
      const isFree = (row: TransportRecord): boolean =>
        isLive(row) && row.intent === null && row.ownerNodeId === ownerNodeId && row.epoch === epoch;
      const granted = change(transports, transportId, isFree, ({ epochHighest }) => ({
        intent: {
          moveId,
          sourceNodeId: ownerNodeId,
          targetNodeId,
          targetEpoch: epochHighest + 1,
          returnEpoch: epochHighest + 2,
        },
        lastIntent: null,
        epochHighest: epochHighest + 2,
      }));
      return answer(granted ? (transports.get(transportId)?.intent ?? null) : null);
    },
    endMove: (transportId, { moveId, ownerNodeId, epoch, negotiated }) => {
      const holds = (row: TransportRecord): boolean =>
        row.intent?.moveId === moveId && row.epoch <= epoch && row.epochHighest >= epoch;
      return answer(
        change(transports, transportId, holds, ({ intent }) => ({
          ownerNodeId,
          epoch,
          intent: null,
          lastIntent: intent,
          ...(negotiated === undefined ? {} : { negotiated: copyOf(negotiated) }),
        })),
      );
    },
    correctMove: (transportId, { moveId, ownerNodeId, epoch }) => {
      const allows = (row: TransportRecord): boolean =>
        isLive(row) &&
        row.epoch < epoch &&
        row.lastIntent?.moveId === moveId &&
        isGranted(row.lastIntent, ownerNodeId, epoch);
      return answer(change(transports, transportId, allows, () => ({ ownerNodeId, epoch })));
    },
    decideMove: (transportId, { moveId, ownerNodeId }) => {
      const isLast = (row: TransportRecord): boolean =>
        isLive(row) && (row.intent ?? row.lastIntent)?.moveId === moveId;
      const decided = change(transports, transportId, isLast, ({ epochHighest }) => ({
        ownerNodeId,
        epoch: epochHighest + 1,
        epochHighest: epochHighest + 1,
        intent: null,
        lastIntent: null,
      }));
      return answer(decided ? (transports.get(transportId)?.epoch ?? null) : null);
    },
  };
}

function isGranted(intent: MoveIntent, ownerNodeId: string, epoch: number): boolean {
  return ownerNodeId === intent.targetNodeId
    ? epoch === intent.targetEpoch
    : ownerNodeId === intent.sourceNodeId && epoch === intent.returnEpoch;
}

function transportsOf({ transports }: PlainTables): TransportRepository {
  return {
    create: (transport) => {
      transports.set(transport.transportId, { ...transport, negotiated: copyOf(transport.negotiated) });
      return done;
    },
    get: (transportId) => answer(transports.get(transportId) ?? null),
    countLive: () => {
      const live = [...transports.values()].filter(isLive);
      const countOf = (nodeId: string): { transports: number; sessions: number } => {
        const owned = live.filter(({ ownerNodeId }) => ownerNodeId === nodeId);
        return { transports: owned.length, sessions: new Set(owned.map(({ sessionId }) => sessionId)).size };
      };
      return answer(new Map(live.map(({ ownerNodeId }) => [ownerNodeId, countOf(ownerNodeId)])));
    },
    listLive: (sessionIds) => answer([...transports.values()].filter(isLive).filter(ofSessions(sessionIds))),
    ...outcomesOf(transports),
    raiseEpochs: (transportId, epochHighest) => {
      change(
        transports,
        transportId,
        (row) => row.epochHighest < epochHighest,
        () => ({ epochHighest }),
      );
      return done;
    },
    setConnected: (transportId, epoch) =>
      answer(
        change(
          transports,
          transportId,
          (row) => isLive(row) && row.epoch === epoch,
          () => ({ connected: true }),
        ),
      ),
    saveNegotiated: (transportId, negotiated) => {
      change(transports, transportId, isLive, () => ({ negotiated: copyOf(negotiated) }));
      return done;
    },
    end: (transportId, endedAtMs) =>
      answer(change(transports, transportId, isLive, () => ({ endedAtMs, negotiated: null }))),
  };
}

function migrationsOf({ migrations, moves }: PlainTables): MigrationRepository {
  return {
    create: (migration) => {
      const runs = [...migrations.values()].some(
        (row) => isLive(row) && row.sessionId === migration.sessionId,
      );
      if (!runs) migrations.set(migration.migrationId, migration);
      return answer(!runs);
    },
    get: (migrationId) => answer(migrations.get(migrationId) ?? null),
    listOfSession: (sessionId) =>
      answer(
        [...migrations.values()]
          .filter(ofSessions([sessionId]))
          .toSorted((a, b) => b.createdAtMs - a.createdAtMs),
      ),
    progress: (migrationId, progress) => {
      change(migrations, migrationId, isLive, () => ({ status: 'running' as const, ...progress }));
      return done;
    },
    end: (migrationId, status, endedAtMs) => {
      const ended = change(migrations, migrationId, isLive, () => ({ status, endedAtMs }));
      const sessionId = migrations.get(migrationId)?.sessionId;
      const history = [...migrations.values()]
        .filter((row) => row.sessionId === sessionId && !isLive(row))
        .toSorted((a, b) => b.createdAtMs - a.createdAtMs);
      for (const old of history.slice(MIGRATION_HISTORY_MAX)) {
        migrations.delete(old.migrationId);
        for (const move of moves.values())
          if (move.migrationId === old.migrationId) moves.delete(move.moveId);
      }
      return answer(ended);
    },
    endUnfinished: (sessionIds, endedAtMs) => {
      const live = [...migrations.values()].filter(isLive).filter(ofSessions(sessionIds));
      for (const { migrationId } of live) {
        change(migrations, migrationId, isLive, () => ({ status: 'failed' as const, endedAtMs }));
        for (const move of moves.values()) {
          if (move.migrationId !== migrationId) continue;
          change(moves, move.moveId, isLive, () => ({ outcome: 'failed', failure: 'cancelled', endedAtMs }));
        }
      }
      return answer(live.length);
    },
  };
}

function movesOf({ moves }: PlainTables): MoveRepository {
  return {
    save: (records) => {
      for (const move of records) {
        const { gap } = moves.get(move.moveId) ?? move;
        moves.set(move.moveId, { ...move, gap });
      }
      return done;
    },
    saveGap: (moveId, connectionId, gap) =>
      answer(
        change(
          moves,
          moveId,
          (row) => row.connectionId === connectionId && row.gap === null,
          () => ({ gap: copyOf(gap) }),
        ),
      ),
    listOfMigration: (migrationId) =>
      answer(
        [...moves.values()]
          .filter((move) => move.migrationId === migrationId)
          .toSorted((a, b) => a.startedAtMs - b.startedAtMs || (a.moveId < b.moveId ? -1 : 1)),
      ),
  };
}
