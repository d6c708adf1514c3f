import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ControlError } from '../../errors.js';
import { LAYOUT_CLASSES_MAX, LAYOUT_CLASS_CHARS_MAX, STREAMS_LISTED_MAX } from '../../limits.js';
import type { SessionState, StreamState } from '../../roster/state.js';
import { setLayoutClasses } from '../../roster/streams.js';
import type { HttpOptions } from '../server.js';
import { timeMs } from '../openapi.js';
import { authorized, SESSION, sessionParams } from './authorization.js';

const layoutItem = z.object({
  id: z.string().max(64),
  layoutClassList: z
    .array(z.string().regex(/^\S+$/, 'must be words').max(LAYOUT_CLASS_CHARS_MAX))
    .max(LAYOUT_CLASSES_MAX),
});

const streamView = z
  .object({
    id: z.string(),
    videoType: z.enum(['camera', 'screen', 'custom']),
    name: z.string(),
    layoutClassList: z.array(z.string()),
  })
  .meta({ id: 'Stream' });
const streamList = z.object({ count: z.number().int(), items: z.array(streamView) });
const connectionList = z.object({
  count: z.number().int(),
  projectId: z.string(),
  sessionId: z.string(),
  items: z.array(
    z
      .object({
        connectionId: z.string(),
        connectionState: z
          .enum(['Connected', 'Disconnected'])
          .describe('Disconnected: it may resume for a while.'),
        createdAt: timeMs,
      })
      .meta({ id: 'Connection' }),
  ),
});
const tags = ['sessions'];

/** Who is in a session, and what is published in it. */
export function rosterRoutes(app: FastifyInstance, options: HttpOptions): void {
  streamRoutes(app, options);
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const { context } = options;
  const schema = {
    summary: 'List the connections of a session',
    tags,
    params: sessionParams,
    response: { 200: connectionList.describe('Its connections.') },
    errors: ['sessionNotFound'],
  } as const;
  typed.get(`${SESSION}/connection`, { schema }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    const items = [...session.connections.values()].map((connection) => ({
      connectionId: connection.connectionId,
      connectionState: connection.channel.attached ? ('Connected' as const) : ('Disconnected' as const),
      createdAt: connection.info.creationTime,
    }));
    return { count: items.length, projectId: request.params.projectId, sessionId: session.sessionId, items };
  });
}

function streamRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the streams of a session',
    tags,
    params: sessionParams,
    response: { 200: streamList.describe('Its published streams.') },
    errors: ['sessionNotFound'],
  } as const;
  typed.get(`${SESSION}/stream`, { schema: list }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    const items = [...session.streams.values()].filter((stream) => stream.published).map(viewStream);
    return { count: items.length, items };
  });
  const body = z.object({ items: z.array(layoutItem).max(STREAMS_LISTED_MAX) });
  const set = {
    summary: 'Set the layout classes of streams',
    tags,
    params: sessionParams,
    body,
    response: { 200: streamList.describe('The streams that were named, as they are now.') },
    errors: ['sessionNotFound', 'streamNotFound'],
  } as const;
  typed.put(`${SESSION}/stream`, { schema: set }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    const changes = request.body.items.map(({ id, layoutClassList }) => ({
      stream: publishedStream(session, id),
      layoutClasses: layoutClassList,
    }));
    for (const { stream, layoutClasses } of changes) await setLayoutClasses(context, stream, layoutClasses);
    return { count: changes.length, items: changes.map(({ stream }) => viewStream(stream)) };
  });
  const params = sessionParams.extend({ streamId: z.string().max(64) });
  const one = {
    summary: 'Read a stream',
    description: 'For the `opentok` package it is sent as text/plain: that parses it itself.',
    tags,
    params,
    response: { 200: streamView.describe('The stream.') },
    errors: ['sessionNotFound', 'streamNotFound'],
  } as const;
  typed.get(`${SESSION}/stream/:streamId`, { schema: one }, async (request, reply) => {
    const { session } = await authorized(context, request, request.params);
    const stream = publishedStream(session, request.params.streamId);
    // `opentok` parses the answer itself and fails on one that fetch has parsed already; `@vonage/video` does not.
    const parsesItself = /^OpenTok-Node-SDK\b/.test(request.headers['user-agent'] ?? '');
    if (parsesItself) reply.type('text/plain').serializer(JSON.stringify);
    return viewStream(stream);
  });
}

/** The stream, once others have been told of it. Throws a ControlError. */
export function publishedStream(session: SessionState, streamId: string): StreamState {
  const stream = session.streams.get(streamId);
  if (stream?.published !== true) throw new ControlError('streamNotFound', 'The session has no such stream.');
  return stream;
}

function viewStream(stream: StreamState): z.infer<typeof streamView> {
  return {
    id: stream.streamId,
    videoType: stream.info.videoType ?? 'camera',
    name: stream.info.name,
    layoutClassList: [...stream.layoutClasses],
  };
}
