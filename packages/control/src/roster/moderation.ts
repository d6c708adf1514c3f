import type { ControlContext } from '../context.js';
import { refresh, refreshSubscribers } from '../transports/configure.js';
import { endConnection } from './connections.js';
import type { ConnectionState, SessionState, StreamState } from './state.js';
import { destroyStream } from './streams.js';

/** Ends somebody's connection; the client is told why. */
export async function forceDisconnect(context: ControlContext, connection: ConnectionState): Promise<void> {
  if (connection.ended) return;
  connection.channel.push({ event: 'sessionDisconnected', reason: 'forceDisconnected' });
  await endConnection(context, connection, 'forceDisconnected');
}

/** Takes a stream out of the session: nobody is told of it any more, and nobody gets it. */
export async function unpublish(context: ControlContext, stream: StreamState, reason: string): Promise<void> {
  const { connection } = stream;
  await destroyStream(context, stream, reason);
  await context.routes.push(connection.session);
  refresh(context, connection);
  refreshSubscribers(context, connection, new Set([stream.streamId]));
}

/** Asks the publisher to mute the stream's sound; it may unmute itself. */
export function muteStream({ streamId, connection }: StreamState): void {
  connection.channel.push({ event: 'streamMuteForced', streamId });
}

export interface SessionMute {
  /** False: what is published from now on starts as its publisher wants. */
  readonly active: boolean;
  readonly excludedStreamIds: readonly string[];
}

/** Mutes every stream but those, and, until it is lifted, what is published later. */
export async function muteSession(
  { storage, roster }: ControlContext,
  session: SessionState,
  { active, excludedStreamIds }: SessionMute,
): Promise<void> {
  await storage.sessions.setMuteForced(session.sessionId, active);
  session.record = { ...session.record, muteForced: active };
  roster.broadcast(session, { event: 'muteForced', active });
  if (!active) return;
  const excluded = new Set(excludedStreamIds);
  for (const stream of session.streams.values()) if (!excluded.has(stream.streamId)) muteStream(stream);
}
