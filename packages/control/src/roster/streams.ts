import type { ClientRequest, CreateStreamResult, StreamInfo } from '@godwit/protocol';
import { askedEvents } from '../callbacks/asked.js';
import { streamCreatedEvent, streamDestroyedEvent, type Happening } from '../callbacks/events.js';
import type { ControlContext } from '../context.js';
import { ClientError } from '../errors.js';
import { newId64 } from '../ids.js';
import { STREAMS_PER_CONNECTION_MAX } from '../limits.js';
import type { ConnectionState, SessionState, StreamState } from './state.js';

type Request<T extends ClientRequest['type']> = Extract<ClientRequest, { type: T }>;

/** Reserves a stream; the others hear of it once its media can flow. Throws a ClientError. */
export async function createStream(
  context: ControlContext,
  connection: ConnectionState,
  request: Request<'createStream'>,
): Promise<CreateStreamResult> {
  if (connection.capabilities.publish !== 1) {
    throw new ClientError('unableToPublish', `The role ${connection.role} does not allow to publish.`);
  }
  if (streamsOf(connection).length >= STREAMS_PER_CONNECTION_MAX) {
    throw new ClientError(
      'streamLimit',
      `A connection publishes at most ${STREAMS_PER_CONNECTION_MAX} streams.`,
    );
  }
  const streamId = newId64();
  const creationTime = context.clockMs();
  const { name, initials, frameRate, hasAudio, hasVideo, videoDimensions, videoType } = request;
  const info: StreamInfo = {
    streamId,
    connection: connection.info,
    creationTime,
    name,
    ...(initials === undefined ? {} : { initials }),
    ...(frameRate === undefined ? {} : { frameRate }),
    hasAudio,
    hasVideo,
    hasCaptions: false,
    videoDimensions,
    ...(videoType === undefined ? {} : { videoType }),
  };
  await context.storage.streams.create({
    streamId,
    sessionId: connection.session.sessionId,
    connectionId: connection.connectionId,
    info,
    layoutClasses: connection.layoutClasses,
    createdAtMs: creationTime,
    publishedAtMs: null,
    endedAtMs: null,
  });
  if (connection.ended) throw new ClientError('notConnected', 'The connection has ended.');
  connection.session.streams.set(streamId, {
    streamId,
    connection,
    info,
    published: false,
    configured: false,
    layoutClasses: connection.layoutClasses,
  });
  return { streamId, creationTime };
}

/** The stream, if it is this connection's own. Throws a ClientError. */
export function ownStream(connection: ConnectionState, streamId: string): StreamState {
  const stream = connection.session.streams.get(streamId);
  if (stream === undefined || stream.connection !== connection) {
    throw new ClientError('streamNotFound', 'The connection has no such stream.');
  }
  return stream;
}

export function streamsOf(connection: ConnectionState): StreamState[] {
  return [...connection.session.streams.values()].filter((stream) => stream.connection === connection);
}

/** Removes the stream from the roster and tells the others. */
export async function destroyStream(
  context: ControlContext,
  stream: StreamState,
  reason: string,
): Promise<void> {
  const { session } = stream.connection;
  if (!session.streams.delete(stream.streamId)) return;
  if (stream.published)
    context.roster.broadcast(session, { event: 'streamDestroyed', streamId: stream.streamId, reason });
  // Nobody else has heard of it yet; its publisher must hear that it is to stop.
  else if (reason !== 'clientDisconnected')
    stream.connection.channel.push({ event: 'streamDestroyed', streamId: stream.streamId, reason });
  context.log.info({ streamId: stream.streamId, sessionId: session.sessionId, reason }, 'stream destroyed');
  const nowMs = context.clockMs();
  const { info } = stream;
  const events = askedEvents(() => [streamDestroyedEvent(happeningIn(session, nowMs), info, reason)]);
  await context.unwritten.write('the end of a stream', async () => {
    await context.storage.streams.end(stream.streamId, nowMs, events.eventsOf);
    if (events.wereAsked()) context.callbacksDue();
  });
}

const happeningIn = ({ record: { sessionId, apiKey } }: SessionState, nowMs: number): Happening => ({
  sessionId,
  apiKey,
  nowMs,
});

/** Changes of a stream's properties; each is told as an event of its own. Throws a ClientError. */
export async function updateStream(
  context: ControlContext,
  connection: ConnectionState,
  request: Request<'updateStream'>,
): Promise<void> {
  const stream = ownStream(connection, request.streamId);
  const before = stream.info;
  for (const changedProperty of ['hasAudio', 'hasVideo', 'videoDimensions'] as const) {
    const newValue = request[changedProperty];
    const oldValue = before[changedProperty];
    if (newValue === undefined || JSON.stringify(newValue) === JSON.stringify(oldValue)) continue;
    stream.info = { ...stream.info, [changedProperty]: newValue };
    if (!stream.published) continue;
    const { streamId } = stream;
    context.roster.broadcast(connection.session, {
      event: 'streamPropertyChanged',
      streamId,
      changedProperty,
      oldValue,
      newValue,
    });
  }
  if (stream.info !== before) await context.storage.streams.update(stream.streamId, stream.info);
}

/** Changes the layout classes of a stream: for archives and broadcasts, no client is told. */
export async function setLayoutClasses(
  { storage }: ControlContext,
  stream: StreamState,
  layoutClasses: readonly string[],
): Promise<void> {
  stream.layoutClasses = layoutClasses;
  await storage.streams.setLayoutClasses(stream.streamId, layoutClasses);
}

/** Tells the others of the connection's streams whose media can flow now: connected, and configured at the node. */
export async function publishReady(context: ControlContext, connection: ConnectionState): Promise<void> {
  if (connection.transport?.isConnected !== true) return;
  for (const stream of streamsOf(connection)) {
    // Gone while another was written: its end has been told already.
    if (connection.session.streams.get(stream.streamId) !== stream) continue;
    if (stream.published || !stream.configured) continue;
    stream.published = true;
    context.roster.broadcast(connection.session, { event: 'streamCreated', stream: stream.info });
    const { streamId, info } = stream;
    context.log.info({ streamId, sessionId: connection.session.sessionId }, 'stream created');
    const nowMs = context.clockMs();
    const events = askedEvents(() => [streamCreatedEvent(happeningIn(connection.session, nowMs), info)]);
    await context.unwritten.write('a published stream', async () => {
      await context.storage.streams.publish(streamId, nowMs, events.eventsOf);
      if (events.wereAsked()) context.callbacksDue();
    });
  }
}
