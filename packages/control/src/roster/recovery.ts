import { connectionInfo, pathMethod, streamInfo } from '@godwit/protocol';
import type { ConnectionRecord, KeptSession, TransportRecord } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { SIGNALS_KEPT_MS } from '../limits.js';
import { capabilitiesOf, isRole } from '../tokens/roles.js';
import { parseDescription } from '../transports/describe.js';
import { recordEnd, startGrace } from './connections.js';
import {
  newConnectionState,
  newSessionState,
  newTransportState,
  type ConnectionState,
  type SessionState,
  type TransportState,
} from './state.js';

/**
 * Event numbers that one control gives a connection. Those of the next begin above all of them, so a client's older ones
 * never look known; 2^53 leaves room for 8 million terms.
 */
const SEQS_PER_TERM = 2 ** 30;

/**
 * Takes up sessions that this control has begun to keep, with what earlier ones left: connections wait for their clients,
 * transports for their nodes; who does not come back in time is ended. Epochs only grow (HANDOVER 8). The turn of each
 * session must be held.
 */
export async function takeUp(
  context: ControlContext,
  kept: readonly KeptSession[],
): Promise<readonly SessionState[]> {
  const { roster, clockMs } = context;
  const sessions = kept.map((each) => newSessionState(each, clockMs()));
  // Nobody has ever been in the others.
  const earlier = new Map(sessions.filter(({ term }) => term > 1).map((each) => [each.sessionId, each]));
  const connections = earlier.size === 0 ? [] : await restore(context, earlier);
  for (const session of sessions) roster.addSession(session);
  for (const connection of connections) {
    roster.addConnection(connection);
    roster.indexTransport(connection);
    startGrace(context, connection);
  }
  if (connections.length > 0) context.takenUp(connections);
  return sessions;
}

/** Everybody who is in one of these sessions; with their streams and the last signals. */
async function restore(
  context: ControlContext,
  sessions: ReadonlyMap<string, SessionState>,
): Promise<readonly ConnectionState[]> {
  const { storage, clockMs } = context;
  const sessionIds = [...sessions.keys()];
  await storage.migrations.endUnfinished(sessionIds, clockMs());
  const rows = await storage.connections.listLive(sessionIds);
  if (rows.length === 0) return [];
  const transports = await newestTransports(context, sessionIds);
  await learnNodes(context, [...transports.values()]);
  const connections = new Map<string, ConnectionState>();
  for (const row of rows) {
    const session = sessions.get(row.sessionId);
    const transport = transports.get(row.connectionId) ?? null;
    const connection = session === undefined ? null : restoreConnection(session, row, transport);
    if (connection === null) await endUnrestored(context, row);
    else connections.set(row.connectionId, connection);
  }
  await restoreStreams(context, sessionIds, connections);
  const signals = await storage.signals.listSince(sessionIds, clockMs() - SIGNALS_KEPT_MS);
  for (const [sessionId, session] of sessions)
    session.signals.restore(signals.filter((signal) => signal.sessionId === sessionId));
  return [...connections.values()];
}

/** One that has joined others since we started must not look dead to us before it could register. */
async function learnNodes(
  { nodes, storage }: ControlContext,
  transports: readonly TransportRecord[],
): Promise<void> {
  const bound = transports.flatMap(({ ownerNodeId, intent }) =>
    intent === null ? [ownerNodeId] : [ownerNodeId, intent.targetNodeId],
  );
  if (!bound.every((nodeId) => nodes.isKnown(nodeId))) nodes.load(await storage.nodes.list());
}

/** By connection. An earlier one whose end could not be written is ended now. */
async function newestTransports(
  { storage, clockMs }: Pick<ControlContext, 'storage' | 'clockMs'>,
  sessionIds: readonly string[],
): Promise<Map<string, TransportRecord>> {
  const newest = new Map<string, TransportRecord>();
  const rows = await storage.transports.listLive(sessionIds);
  for (const row of rows.toSorted((a, b) => a.createdAtMs - b.createdAtMs)) {
    const earlier = newest.get(row.connectionId);
    if (earlier !== undefined) await storage.transports.end(earlier.transportId, clockMs());
    newest.set(row.connectionId, row);
  }
  return newest;
}

/** What its row says cannot be read by this version, or its session is gone. */
async function endUnrestored(
  context: ControlContext,
  { sessionId, connectionId }: ConnectionRecord,
): Promise<void> {
  const record = await context.storage.sessions.get(sessionId);
  const apiKey = record?.apiKey ?? '';
  await recordEnd(context, { sessionId, apiKey }, connectionId, 'networkDisconnected');
}

function restoreConnection(
  session: SessionState,
  row: ConnectionRecord,
  transportRow: TransportRecord | null,
): ConnectionState | null {
  const method = pathMethod.safeParse(row.pathMethod);
  const { connectionId, data, role } = row;
  const info = connectionInfo.safeParse({ connectionId, creationTime: row.createdAtMs, data });
  if (!method.success || !info.success || !isRole(role)) return null;
  const connection = newConnectionState({
    connectionId,
    session,
    info: info.data,
    role,
    capabilities: capabilitiesOf(role),
    sessionMigration: row.sessionMigration,
    pathMethod: method.data,
    eventsSuppressed: row.eventsSuppressed,
    layoutClasses: row.layoutClasses,
    resumeTokenHash: row.resumeTokenHash,
  });
  connection.channel.continueAfter(session.term * SEQS_PER_TERM);
  if (transportRow !== null) {
    const description = parseDescription(transportRow.negotiated);
    if (description === null) return null;
    connection.transport = newTransportState({
      transportId: transportRow.transportId,
      ownerNodeId: transportRow.ownerNodeId,
      epoch: transportRow.epoch,
      isConnected: transportRow.connected,
      claimed: false,
      upcomingOwner: upcomingOf(transportRow),
      description,
    });
  }
  return connection;
}

/** A move was under way when the earlier control went: its target may have taken over meanwhile. */
function upcomingOf({ intent }: TransportRecord): TransportState['upcomingOwner'] {
  if (intent === null) return null;
  return { nodeId: intent.targetNodeId, epoch: intent.targetEpoch, returnEpoch: intent.returnEpoch };
}

async function restoreStreams(
  { storage, clockMs }: ControlContext,
  sessionIds: readonly string[],
  connections: ReadonlyMap<string, ConnectionState>,
): Promise<void> {
  for (const row of await storage.streams.listLive(sessionIds)) {
    const connection = connections.get(row.connectionId);
    const info = streamInfo.safeParse(row.info);
    if (connection === undefined || !info.success) {
      await storage.streams.end(row.streamId, clockMs());
      continue;
    }
    const published = row.publishedAtMs !== null;
    const { streamId } = row;
    connection.session.streams.set(streamId, {
      streamId,
      connection,
      info: info.data,
      published,
      configured: published,
      layoutClasses: row.layoutClasses,
    });
  }
}
