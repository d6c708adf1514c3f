import { MIGRATION_HISTORY_MAX } from '../limits.js';
import type {
  ConnectionRecord,
  Json,
  MigrationRecord,
  MoveIntent,
  MoveRecord,
  NodeRecord,
  SessionRecord,
  StreamRecord,
  TransportRecord,
} from '../records.js';
import type { MetaRepository } from '../repositories/meta.js';
import type { MigrationRepository } from '../repositories/migrations.js';
import type { MoveRepository } from '../repositories/moves.js';
import type { NodeRepository } from '../repositories/nodes.js';
import type { SessionRepository } from '../repositories/sessions.js';
import type { StreamRepository } from '../repositories/streams.js';
import type { ConnectionRepository } from '../repositories/connections.js';
import type { TransportRepository } from '../repositories/transports.js';
import type { RosterStorage } from '../storage.js';

/** Every row of the roster, as plain values. Rows are replaced, never changed. */
export interface PlainTables {
  readonly meta: Map<string, string>;
  readonly nodes: Map<string, NodeRecord>;
  readonly sessions: Map<string, SessionRecord>;
  readonly connections: Map<string, ConnectionRecord>;
  readonly streams: Map<string, StreamRecord>;
  readonly transports: Map<string, TransportRecord>;
  readonly migrations: Map<string, MigrationRecord>;
  readonly moves: Map<string, MoveRecord>;
}

export function createPlainTables(): PlainTables {
  return {
    meta: new Map(),
    nodes: new Map(),
    sessions: new Map(),
    connections: new Map(),
    streams: new Map(),
    transports: new Map(),
    migrations: new Map(),
    moves: new Map(),
  };
}

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
    close: () => Promise.resolve(),
  };
}

const done = Promise.resolve();
const answer = <T>(value: T): Promise<T> => Promise.resolve(value);
/** What a database would give back: nobody can change a row by changing what was read. */
const copyOf = (json: Json): Json => structuredClone(json) as Json;

/** Replaces a row when it is there and `applies`; says whether it was. */
function change<T extends object>(
  rows: Map<string, T>,
  id: string,
  applies: (row: T) => boolean,
  changes: (row: T) => Partial<T>,
): boolean {
  const row = rows.get(id);
  if (row === undefined || !applies(row)) return false;
  rows.set(id, { ...row, ...changes(row) });
  return true;
}

const isLive = ({ endedAtMs }: { readonly endedAtMs: number | null }): boolean => endedAtMs === null;
const ofSession =
  (sessionId?: string) =>
  (row: { readonly sessionId: string }): boolean =>
    sessionId === undefined || row.sessionId === sessionId;

function metaOf({ meta }: PlainTables): MetaRepository {
  return {
    get: (key) => answer(meta.get(key) ?? null),
    set: (key, value) => {
      meta.set(key, value);
      return done;
    },
  };
}

function nodesOf({ nodes }: PlainTables): NodeRepository {
  return {
    save: (node) => {
      const identityKey = nodes.get(node.nodeId)?.identityKey ?? node.identityKey;
      nodes.set(node.nodeId, { ...node, identityKey });
      return done;
    },
    get: (nodeId) => answer(nodes.get(nodeId) ?? null),
    getByIdentity: (identityKey) =>
      answer([...nodes.values()].find((node) => node.identityKey === identityKey) ?? null),
    list: () => answer([...nodes.values()].toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1))),
    seen: (nodeId, lastSeenAtMs) => {
      change(
        nodes,
        nodeId,
        () => true,
        () => ({ lastSeenAtMs }),
      );
      return done;
    },
    remove: (nodeId) => {
      nodes.delete(nodeId);
      return done;
    },
  };
}

function sessionsOf({ sessions }: PlainTables): SessionRepository {
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
    listLive: (sessionId) => answer([...connections.values()].filter(isLive).filter(ofSession(sessionId))),
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
    listLive: (sessionId) => answer([...streams.values()].filter(isLive).filter(ofSession(sessionId))),
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
    listLive: () => answer([...transports.values()].filter(isLive)),
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
          .filter(ofSession(sessionId))
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
    endUnfinished: (endedAtMs) => {
      for (const { moveId } of moves.values()) {
        change(moves, moveId, isLive, () => ({ outcome: 'failed', failure: 'cancelled', endedAtMs }));
      }
      const live = [...migrations.values()].filter(isLive);
      for (const { migrationId } of live) {
        change(migrations, migrationId, isLive, () => ({ status: 'failed' as const, endedAtMs }));
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
