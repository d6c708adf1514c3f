import { connectionInfo, pathMethod, streamInfo } from '@godwit/protocol';
import type { ConnectionRecord, TransportRecord } from '@godwit/storage';
import type { ControlContext } from '../context.js';
import { capabilitiesOf, isRole } from '../tokens/roles.js';
import { parseDescription } from '../transports/describe.js';
import { recordEnd, startGrace } from './connections.js';
import { loseTransport } from './rejoin.js';
import { newConnectionState, newTransportState, type ConnectionState, type TransportState } from './state.js';

/** Event numbers of a restored connection start here: a client's older ones never look known. */
const RESTORED_SEQ = 2 ** 30;

/**
 * Takes up what an earlier control left: connections wait for their clients, transports for their nodes; who does not
 * come back in time is ended. Epochs only grow (HANDOVER 8).
 */
export async function recover(context: ControlContext): Promise<void> {
  const { storage, log } = context;
  const nowMs = context.clockMs();
  const unfinished = await storage.migrations.endUnfinished(nowMs);
  const transports = await newestTransports(context);
  const connections = await storage.connections.listLive();
  for (const row of connections) {
    const connection = await restoreConnection(context, row, transports.get(row.connectionId) ?? null);
    if (connection === null) await endUnrestored(context, row);
    else startGrace(context, connection);
  }
  await restoreStreams(context);
  const holders = [...transports.values()].flatMap(({ ownerNodeId, intent }) =>
    intent === null ? [ownerNodeId] : [ownerNodeId, intent.targetNodeId],
  );
  await forgetIdleNodes(context, new Set(holders));
  if (connections.length > 0) {
    log.info({ connections: connections.length, unfinished }, 'took up the roster of an earlier control');
    setTimeout(() => endUnclaimed(context), context.timings.nodeReportGraceMs).unref();
  }
}

/** By connection. An earlier one whose end could not be written is ended now. */
async function newestTransports({
  storage,
  clockMs,
}: Pick<ControlContext, 'storage' | 'clockMs'>): Promise<Map<string, TransportRecord>> {
  const newest = new Map<string, TransportRecord>();
  const rows = await storage.transports.listLive();
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

async function restoreConnection(
  context: ControlContext,
  row: ConnectionRecord,
  transportRow: TransportRecord | null,
): Promise<ConnectionState | null> {
  const session = await context.roster.session(row.sessionId);
  const method = pathMethod.safeParse(row.pathMethod);
  const { connectionId, data, role } = row;
  const info = connectionInfo.safeParse({ connectionId, creationTime: row.createdAtMs, data });
  if (session === null || !method.success || !info.success || !isRole(role)) return null;
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
  connection.channel.continueAfter(RESTORED_SEQ);
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
  context.roster.addConnection(connection);
  context.roster.indexTransport(connection);
  return connection;
}

/** A move was under way when the earlier control went: its target may have taken over meanwhile. */
function upcomingOf({ intent }: TransportRecord): TransportState['upcomingOwner'] {
  if (intent === null) return null;
  return { nodeId: intent.targetNodeId, epoch: intent.targetEpoch, returnEpoch: intent.returnEpoch };
}

async function restoreStreams(context: ControlContext): Promise<void> {
  for (const row of await context.storage.streams.listLive()) {
    const connection = context.roster.connection(row.connectionId);
    const info = streamInfo.safeParse(row.info);
    if (connection === null || !info.success) {
      await context.storage.streams.end(row.streamId, context.clockMs());
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

/** Nodes that own nothing, and were about to own nothing, register anew: their ids are free again. */
async function forgetIdleNodes(context: ControlContext, owners: ReadonlySet<string>): Promise<void> {
  const records = await context.storage.nodes.list();
  for (const { nodeId } of records) if (!owners.has(nodeId)) await context.storage.nodes.remove(nodeId);
  context.nodes.load(records.filter(({ nodeId }) => owners.has(nodeId)));
}

/** Nodes that have been away for long, own nothing and are about to own nothing: their identities are not pinned for ever. */
export async function forgetGoneNodes(context: ControlContext, nowMs: number): Promise<void> {
  for (const nodeId of context.nodes.longGone(nowMs)) {
    if (context.roster.connectionsBoundTo(nodeId).length > 0) continue;
    context.nodes.forget(nodeId);
    await context.storage.nodes.remove(nodeId);
  }
}

/** Transports that no node has reported are gone: their clients are asked for other ones. */
function endUnclaimed(context: ControlContext): void {
  for (const connection of context.roster.connections()) {
    const { transport } = connection;
    if (transport !== null && !transport.claimed) loseTransport(context, connection, transport);
  }
}
