import type { ClientRequest, ConnectResult } from '@godwit/protocol';
import type { SessionRecord } from '@godwit/storage';
import { askedEvents } from '../callbacks/asked.js';
import { connectionBegunEvents, connectionEndedEvents } from '../callbacks/events.js';
import type { ControlContext } from '../context.js';
import { ClientError } from '../errors.js';
import { hashResumeToken, newConnectionId, newResumeToken } from '../ids.js';
import { CONNECTIONS_PER_SESSION_MAX } from '../limits.js';
import { nodeFor } from '../nodes/session-node.js';
import type { Project } from '../projects/project.js';
import { verifyClientToken } from '../tokens/client-token.js';
import { capabilitiesOf } from '../tokens/roles.js';
import { refreshSubscribers } from '../transports/configure.js';
import { keepSession } from './keep.js';
import { repeatSignals } from './signals.js';
import { isDatabaseAway } from './unwritten.js';
import { newConnectionState, type ConnectionState, type SessionState } from './state.js';
import { streamsOf } from './streams.js';

type Request<T extends ClientRequest['type']> = Extract<ClientRequest, { type: T }>;

/** How a connection ended, as the others are told. */
export type EndReason = 'clientDisconnected' | 'networkDisconnected' | 'forceDisconnected' | 'serverRotation';

/** Checks the token and adds the client to its session. Throws a ClientError, or KeptElsewhere. */
export async function connect(
  context: ControlContext,
  request: Request<'connect'>,
): Promise<{ connection: ConnectionState; result: ConnectResult }> {
  const { session: admitted, project } = await admit(context, request);
  const { token, hash } = newResumeToken();
  const verified = await verifyClientToken(request.token, project, context.clockMs());
  if ('refused' in verified) throw new ClientError('authentication', verified.refused);
  if (verified.sessionId !== request.sessionId) {
    throw new ClientError('authentication', 'The token belongs to another session.');
  }
  if (admitted.connections.size >= CONNECTIONS_PER_SESSION_MAX) {
    throw new ClientError('connectionLimit', `The session has ${CONNECTIONS_PER_SESSION_MAX} connections.`);
  }
  const connectionId = newConnectionId();
  const nowMs = context.clockMs();
  const common = {
    connectionId,
    role: verified.role,
    sessionMigration: request.sessionMigration,
    pathMethod: request.pathMethod,
    eventsSuppressed: request.connectionEventsSuppressed ?? false,
    layoutClasses: verified.layoutClasses,
    resumeTokenHash: hash,
  };
  const { sessionId } = admitted;
  const info = { connectionId, creationTime: nowMs, data: verified.data };
  const events = askedEvents(connectionBegunEvents({ sessionId, apiKey: project.apiKey, nowMs }, info));
  const row = {
    ...common,
    sessionId,
    data: verified.data,
    createdAtMs: nowMs,
    endedAtMs: null,
    endReason: null,
  };
  await context.storage.connections.create(row, events.eventsOf).catch((error: unknown) => {
    // It may have been written although no answer came. The client is told no, so nobody is there.
    if (isDatabaseAway(error)) void recordEnd(context, admitted.record, connectionId, 'networkDisconnected');
    throw error;
  });
  if (events.wereAsked()) context.callbacksDue();
  const session = admitted;
  if (context.roster.kept(sessionId) !== session) {
    // This control has let go of it meanwhile, and whoever takes it up may have read its rows before.
    void recordEnd(context, admitted.record, connectionId, 'networkDisconnected');
    throw new ClientError('connectFailed', 'The session is going to another control; please try again.');
  }
  const connection = newConnectionState({
    ...common,
    session,
    info,
    capabilities: capabilitiesOf(verified.role),
  });
  context.roster.addConnection(connection);
  context.roster.broadcast(session, { event: 'connectionCreated', connection: connection.info }, connection);
  context.log.info({ connectionId, sessionId: session.sessionId, role: verified.role }, 'connection created');
  return { connection, result: describeRoster(connection, token, false) };
}

async function admit(
  context: ControlContext,
  { apiKey, sessionId }: Request<'connect'>,
): Promise<{ session: SessionState; project: Project }> {
  const project = await context.projects.find(apiKey);
  if (project === null) throw new ClientError('authentication', 'The API key is not known here.');
  const session = await keepSession(context, sessionId);
  if (session === null || session.record.apiKey !== apiKey)
    throw new ClientError('invalidSession', 'There is no such session in this project.');
  return { session, project };
}

/** Brings the session of a connection here, should an earlier control have left it. Throws KeptElsewhere. */
export async function keepSessionOf(context: ControlContext, connectionId: string): Promise<void> {
  if (context.roster.connection(connectionId) !== null) return;
  const row = await context.storage.connections.get(connectionId);
  if (row !== null && row.endedAtMs === null) await keepSession(context, row.sessionId);
}

/** Finds the connection of a client whose socket broke. Throws a ClientError. */
export function resume(
  context: ControlContext,
  request: Request<'resume'>,
): { connection: ConnectionState; result: ConnectResult; replayAfter: number } {
  const connection = context.roster.connection(request.connectionId);
  if (
    connection === null ||
    connection.ended ||
    hashResumeToken(request.resumeToken) !== connection.resumeTokenHash
  ) {
    throw new ClientError('notConnected', 'The connection has ended, or the resume token is not its own.');
  }
  if (connection.graceTimer !== null) clearTimeout(connection.graceTimer);
  connection.graceTimer = null;
  const { channel } = connection;
  // Events that are gone (too many missed, or control was started anew) are made up for by the whole roster:
  // `resumed: false` tells the client to take it.
  const replayable = channel.canReplay(request.lastSeq);
  if (!replayable) channel.continueAfter(request.lastSeq);
  const replayAfter = replayable ? request.lastSeq : channel.seq;
  // No part of the roster: a client that missed it would ask in vain for restarts of what is gone.
  if (!replayable && connection.transport?.isLost === true) channel.push({ event: 'transportLost' });
  if (!replayable) repeatSignals(connection, request.lastSignal ?? null);
  context.log.info({ connectionId: connection.connectionId, replayable }, 'connection resumed');
  const result = { ...describeRoster(connection, request.resumeToken, replayable), seq: replayAfter };
  return { connection, result, replayAfter };
}

/** What a client that joins sees: everybody else, and every published stream. */
function describeRoster(connection: ConnectionState, resumeToken: string, resumed: boolean): ConnectResult {
  const { session } = connection;
  return {
    connection: connection.info,
    resumeToken,
    resumed,
    capabilities: connection.capabilities,
    connections: [...session.connections.values()]
      .filter((other) => other !== connection)
      .map((other) => other.info),
    streams: [...session.streams.values()]
      .filter((stream) => stream.published && stream.connection !== connection)
      .map((stream) => stream.info),
    muteForced: session.record.muteForced,
    seq: connection.channel.seq,
    signals: session.signals.last,
  };
}

/** The socket is gone: the connection ends unless it resumes in time. */
export function startGrace(context: ControlContext, connection: ConnectionState): void {
  if (connection.ended || connection.graceTimer !== null) return;
  connection.graceTimer = setTimeout(() => {
    connection.graceTimer = null;
    endConnection(context, connection, 'networkDisconnected').catch((error: unknown) => {
      context.log.error(
        { error: String(error), connectionId: connection.connectionId },
        'ending a connection failed',
      );
    });
  }, context.timings.resumeGraceMs);
  connection.graceTimer.unref();
}

/** Ends a connection: its streams, its transport, its socket. The others are told. Does nothing the second time. */
export async function endConnection(
  context: ControlContext,
  connection: ConnectionState,
  reason: EndReason,
): Promise<void> {
  if (connection.ended) return;
  connection.ended = true;
  if (connection.graceTimer !== null) clearTimeout(connection.graceTimer);
  if (connection.rejoinTimer !== null) clearTimeout(connection.rejoinTimer);
  const { session, transport, connectionId } = connection;
  context.roster.removeConnection(connection);
  const streams = streamsOf(connection);
  for (const stream of streams) {
    session.streams.delete(stream.streamId);
    if (stream.published)
      context.roster.broadcast(session, { event: 'streamDestroyed', streamId: stream.streamId, reason });
  }
  context.roster.broadcast(session, { event: 'connectionDestroyed', connection: connection.info, reason });
  connection.channel.close(reason);
  connection.gone.happen();
  connection.pendingRestart?.answer.reject(new Error('the connection has ended'));
  transport?.connected.reject(new Error('the connection has ended'));
  context.log.info({ connectionId, sessionId: session.sessionId, reason }, 'connection destroyed');
  await recordEnd(context, session.record, connectionId, reason).catch((error: unknown) => {
    // Everything else ends all the same; the next control finds nobody there and ends the row.
    context.log.error({ connectionId, error: String(error) }, 'the end of a connection was not written');
  });
  if (transport !== null) {
    const fields = { transportId: transport.transportId, epoch: transport.epoch, reason };
    const owner = nodeFor(context, session, transport.ownerNodeId);
    // A node that is away closes it when it comes back and nobody claims it.
    await owner?.command('closeTransport', fields).catch(() => undefined);
  }
  await context.routes.push(session);
  refreshSubscribers(context, connection, new Set(streams.map(({ streamId }) => streamId)));
}

/** Writes the end of a connection, and of what was its own, with the callbacks of it; later when the database is away. */
export function recordEnd(
  { storage, clockMs, unwritten, callbacksDue }: ControlContext,
  { sessionId, apiKey }: Pick<SessionRecord, 'sessionId' | 'apiKey'>,
  connectionId: string,
  reason: string,
): Promise<void> {
  const nowMs = clockMs();
  const events = askedEvents(connectionEndedEvents({ sessionId, apiKey, nowMs }, reason));
  return unwritten.write('the end of a connection', async () => {
    await storage.connections.end(connectionId, reason, nowMs, events.eventsOf);
    if (events.wereAsked()) callbacksDue();
  });
}

/** The connection's media is lost for good: tells the client and ends it. */
export function disconnect(context: ControlContext, connection: ConnectionState): void {
  if (connection.ended) return;
  connection.channel.push({ event: 'sessionDisconnected', reason: 'networkDisconnected' });
  endConnection(context, connection, 'networkDisconnected').catch((error: unknown) => {
    context.log.error(
      { connectionId: connection.connectionId, error: String(error) },
      'ending a connection failed',
    );
  });
}
