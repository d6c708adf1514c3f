import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ControlError } from '../../errors.js';
import { LAYOUT_CLASSES_MAX, LAYOUT_CLASS_CHARS_MAX, STREAMS_LISTED_MAX } from '../../limits.js';
import type { SessionState, StreamState } from '../../roster/state.js';
import { setLayoutClasses } from '../../roster/streams.js';
import type { HttpOptions } from '../server.js';
import { authorized, SESSION, sessionParams } from './authorization.js';

const layoutItem = z.object({
  id: z.string().max(64),
  layoutClassList: z
    .array(z.string().regex(/^\S+$/, 'must be words').max(LAYOUT_CLASS_CHARS_MAX))
    .max(LAYOUT_CLASSES_MAX),
});

/** Who is in a session, and what is published in it. */
export function rosterRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.get(`${SESSION}/stream`, { schema: { params: sessionParams } }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    const items = [...session.streams.values()].filter((stream) => stream.published).map(viewStream);
    return { count: items.length, items };
  });
  const body = z.object({ items: z.array(layoutItem).max(STREAMS_LISTED_MAX) });
  typed.put(`${SESSION}/stream`, { schema: { params: sessionParams, body } }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    const changes = request.body.items.map(({ id, layoutClassList }) => ({
      stream: publishedStream(session, id),
      layoutClasses: layoutClassList,
    }));
    for (const { stream, layoutClasses } of changes) await setLayoutClasses(context, stream, layoutClasses);
    return { count: changes.length, items: changes.map(({ stream }) => viewStream(stream)) };
  });
  const params = sessionParams.extend({ streamId: z.string().max(64) });
  typed.get(`${SESSION}/stream/:streamId`, { schema: { params } }, async (request, reply) => {
    const { session } = await authorized(context, request, request.params);
    const stream = publishedStream(session, request.params.streamId);
    // `opentok` parses the answer itself and fails on one that fetch has parsed already; `@vonage/video` does not.
    const parsesItself = /^OpenTok-Node-SDK\b/.test(request.headers['user-agent'] ?? '');
    if (parsesItself) return reply.type('text/plain').send(JSON.stringify(viewStream(stream)));
    return viewStream(stream);
  });
  typed.get(`${SESSION}/connection`, { schema: { params: sessionParams } }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    const items = [...session.connections.values()].map((connection) => ({
      connectionId: connection.connectionId,
      connectionState: connection.channel.attached ? 'Connected' : 'Disconnected',
      createdAt: connection.info.creationTime,
    }));
    return { count: items.length, projectId: request.params.projectId, sessionId: session.sessionId, items };
  });
}

/** The stream, once others have been told of it. Throws a ControlError. */
export function publishedStream(session: SessionState, streamId: string): StreamState {
  const stream = session.streams.get(streamId);
  if (stream?.published !== true) throw new ControlError('streamNotFound', 'The session has no such stream.');
  return stream;
}

function viewStream(stream: StreamState): {
  id: string;
  videoType: string;
  name: string;
  layoutClassList: string[];
} {
  return {
    id: stream.streamId,
    videoType: stream.info.videoType ?? 'camera',
    name: stream.info.name,
    layoutClassList: [...stream.layoutClasses],
  };
}
