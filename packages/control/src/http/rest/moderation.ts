import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { EXCLUDED_STREAMS_MAX, SIGNAL_DATA_BYTES_MAX, SIGNAL_TYPE_CHARS_MAX } from '@godwit/protocol';
import type { ControlContext } from '../../context.js';
import { ControlError } from '../../errors.js';
import type { Project } from '../../projects/project.js';
import { forceDisconnect, muteSession, muteStream } from '../../roster/moderation.js';
import { sendSignal } from '../../roster/signals.js';
import type { ConnectionState, SessionState } from '../../roster/state.js';
import type { HttpOptions } from '../server.js';
import { nothing, timeMs } from '../openapi.js';
import { authorized, SESSION, sessionParams } from './authorization.js';
import { publishedStream } from './roster.js';

const connectionParams = sessionParams.extend({ connectionId: z.string().max(64) });
/** The length of `data` is judged in bytes, by `send`. */
const signalBody = z.object({
  type: z.string().max(SIGNAL_TYPE_CHARS_MAX).optional(),
  data: z.string().describe(`At most ${SIGNAL_DATA_BYTES_MAX} bytes of UTF-8.`),
});
/** A `p` is a pause of 500 ms. */
const dtmfBody = z.object({ digits: z.string().regex(/^[0-9*#p]{1,64}$/, 'must be 0 to 9, *, # and p') });

/** The project, as the Vonage Video API answers a mute. */
const projectDetails = z
  .object({
    id: z.string(),
    applicationId: z.string(),
    status: z.literal('ACTIVE'),
    name: z.string(),
    environment: z.literal('standard'),
    createdAt: timeMs,
  })
  .meta({ id: 'ProjectDetails' });
const muted = { 200: projectDetails.describe('The project.') };
const done = { 204: nothing };
const tags = ['moderation'];

/** Signals, force disconnect, mute, and tones for telephones. */
export function moderationRoutes(app: FastifyInstance, options: HttpOptions): void {
  signalRoutes(app, options);
  muteRoutes(app, options);
  dtmfRoutes(app, options);
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const schema = {
    summary: 'Disconnect a client',
    tags,
    params: connectionParams,
    response: done,
    errors: ['sessionNotFound', 'connectionNotFound'],
  } as const;
  typed.delete(`${SESSION}/connection/:connectionId`, { schema }, async (request, reply) => {
    const { session } = await authorized(options.context, request, request.params);
    await forceDisconnect(options.context, connectionOf(session, request.params.connectionId));
    return reply.code(204).send();
  });
}

function signalRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const toAll = {
    summary: 'Signal everybody in a session',
    tags,
    params: sessionParams,
    body: signalBody,
    response: done,
    errors: ['sessionNotFound', 'signalTooLarge'],
  } as const;
  typed.post(`${SESSION}/signal`, { schema: toAll }, async (request, reply) => {
    const { session } = await authorized(context, request, request.params);
    await send(context, session, request.body, null);
    return reply.code(204).send();
  });
  const toOne = {
    summary: 'Signal one client',
    tags,
    params: connectionParams,
    body: signalBody,
    response: done,
    errors: ['sessionNotFound', 'connectionNotFound', 'signalTooLarge'],
  } as const;
  typed.post(`${SESSION}/connection/:connectionId/signal`, { schema: toOne }, async (request, reply) => {
    const { session } = await authorized(context, request, request.params);
    const to = connectionOf(session, request.params.connectionId);
    await send(context, session, request.body, to);
    return reply.code(204).send();
  });
}

/** The server says it. Throws a ControlError when it is too large. */
async function send(
  context: ControlContext,
  session: SessionState,
  { type, data }: z.infer<typeof signalBody>,
  to: ConnectionState | null,
): Promise<void> {
  if (Buffer.byteLength(data) > SIGNAL_DATA_BYTES_MAX)
    throw new ControlError(
      'signalTooLarge',
      `The data of a signal has at most ${SIGNAL_DATA_BYTES_MAX} bytes.`,
    );
  return sendSignal(context, session, { type, data, from: null, to, requestId: null });
}

function muteRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const one = {
    summary: 'Mute the publisher of a stream',
    tags,
    params: sessionParams.extend({ streamId: z.string().max(64) }),
    response: muted,
    errors: ['sessionNotFound', 'streamNotFound'],
  } as const;
  typed.post(`${SESSION}/stream/:streamId/mute`, { schema: one }, async (request) => {
    const { session, project } = await authorized(context, request, request.params);
    muteStream(publishedStream(session, request.params.streamId));
    return viewProject(project);
  });
  const body = z.object({
    active: z.boolean().describe('Whether streams that are published later are muted as well.'),
    excludedStreamIds: z.array(z.string().max(64)).max(EXCLUDED_STREAMS_MAX).default([]),
  });
  const all = {
    summary: 'Mute a session',
    tags,
    params: sessionParams,
    body,
    response: muted,
    errors: ['sessionNotFound'],
  } as const;
  typed.post(`${SESSION}/mute`, { schema: all }, async (request) => {
    const { session, project } = await authorized(context, request, request.params);
    await muteSession(context, session, request.body);
    return viewProject(project);
  });
}

/** Nobody in a session is a telephone as long as there is no SIP. */
function dtmfRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const toAll = {
    summary: 'Play tones to the telephones of a session',
    description: 'There is no SIP yet: nobody hears them.',
    tags,
    params: sessionParams,
    body: dtmfBody,
    response: { 200: z.object({}).describe('Done.') },
    errors: ['sessionNotFound'],
  } as const;
  typed.post(`${SESSION}/play-dtmf`, { schema: toAll }, async (request) => {
    await authorized(context, request, request.params);
    return {};
  });
  const toOne = {
    summary: 'Play tones to one telephone',
    description: 'There is no SIP yet: no connection is a telephone.',
    tags,
    params: connectionParams,
    body: dtmfBody,
    response: { 200: z.object({}).describe('Done.') },
    errors: ['sessionNotFound', 'connectionNotFound'],
  } as const;
  typed.post(`${SESSION}/connection/:connectionId/play-dtmf`, { schema: toOne }, async (request) => {
    const { session } = await authorized(context, request, request.params);
    connectionOf(session, request.params.connectionId);
    throw new ControlError('connectionNotFound', 'The connection is not a SIP call.');
  });
}

function connectionOf(session: SessionState, connectionId: string): ConnectionState {
  const connection = session.connections.get(connectionId);
  if (connection === undefined)
    throw new ControlError('connectionNotFound', 'The session has no such connection.');
  return connection;
}

const viewProject = ({ apiKey, name, createdAtMs }: Project): z.infer<typeof projectDetails> => ({
  id: apiKey,
  applicationId: apiKey,
  status: 'ACTIVE',
  name,
  environment: 'standard',
  createdAt: createdAtMs,
});
