import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CONNECTION_DATA_CHARS_MAX, SESSION_ID_CHARS_MAX } from '@godwit/protocol';
import { ControlError } from '../errors.js';
import { newSessionId } from '../ids.js';
import { TOKEN_LIFETIME_SECONDS, TOKEN_LIFETIME_SECONDS_MAX } from '../limits.js';
import { migrationStarted, migrationView, viewMigration, viewStarted } from '../migration/view.js';
import type { SessionState, StreamState } from '../roster/state.js';
import { issueClientToken } from '../tokens/client-token.js';
import { verifyProjectToken } from '../tokens/project-token.js';
import { roles } from '../tokens/roles.js';
import { systemUrl } from './system-url.js';
import type { HttpOptions } from './server.js';

const projectParams = z.object({ projectId: z.string().max(64) });
const sessionParams = projectParams.extend({ sessionId: z.string().max(SESSION_ID_CHARS_MAX) });
const PROJECT = '/v2/project/:projectId';
const SESSION = `${PROJECT}/session/:sessionId`;

/** Session create, tokens, streams, connections and migration: the REST API of the server SDKs. */
export function sessionRoutes(app: FastifyInstance, options: HttpOptions, done: () => void): void {
  createRoute(app, options);
  tokenRoute(app, options);
  migrationRoutes(app, options);
  rosterRoutes(app, options);
  done();
}

/** Checks the caller, then finds the session of its project. Throws a ControlError. */
async function authorized(
  { context }: HttpOptions,
  request: FastifyRequest,
  params: z.infer<typeof sessionParams>,
): Promise<SessionState> {
  await verifyProjectToken(request.headers['x-opentok-auth'], context.project, context.clockMs());
  if (params.projectId !== context.project.apiKey) {
    throw new ControlError('forbidden', 'The project in the path is not the one of the JWT.');
  }
  const session = await context.roster.session(params.sessionId);
  if (session === null)
    throw new ControlError('sessionNotFound', 'There is no such session in this project.');
  return session;
}

function createRoute(app: FastifyInstance, { context }: HttpOptions): void {
  // Extra fields (archiveMode, e2ee, …) are accepted; what they ask for comes with the services.
  const body = z.looseObject({ location: z.string().max(64).optional() }).nullish();
  app.withTypeProvider<ZodTypeProvider>().post('/session/create', { schema: { body } }, async (request) => {
    const nowMs = context.clockMs();
    const { apiKey } = context.project;
    await verifyProjectToken(request.headers['x-opentok-auth'], context.project, nowMs);
    const asked = request.body?.location;
    const location = asked === undefined || asked === 'null' ? '' : asked;
    if (location !== '' && !z.ipv4().safeParse(location).success) {
      throw new ControlError('badRequest', 'location must be an IPv4 address.');
    }
    const sessionId = newSessionId(apiKey, location, nowMs);
    await context.storage.sessions.create({
      sessionId,
      apiKey,
      location,
      demo: false,
      demoName: null,
      homeNodeId: null,
      createdAtMs: nowMs,
      lastMigrationEndedAtMs: null,
    });
    context.log.info({ sessionId }, 'session created');
    return [
      {
        session_id: sessionId,
        project_id: apiKey,
        partner_id: apiKey,
        create_dt: new Date(nowMs).toUTCString(),
        session_status: null,
        media_server_url: '',
      },
    ];
  });
}

function tokenRoute(app: FastifyInstance, options: HttpOptions): void {
  const body = z
    .object({
      role: z.enum(roles).default('publisher'),
      data: z.string().max(CONNECTION_DATA_CHARS_MAX).default(''),
      /** Seconds since 1970. */
      expireTime: z.number().int().positive().optional(),
    })
    .nullish();
  const schema = { params: sessionParams, body };
  app.withTypeProvider<ZodTypeProvider>().post(`${SESSION}/token`, { schema }, async (request) => {
    const { context } = options;
    const session = await authorized(options, request, request.params);
    const nowMs = context.clockMs();
    const nowSeconds = Math.floor(nowMs / 1_000);
    const { role = 'publisher', data = '', expireTime } = request.body ?? {};
    const expiresAtSeconds = expireTime ?? nowSeconds + TOKEN_LIFETIME_SECONDS;
    if (expiresAtSeconds <= nowSeconds || expiresAtSeconds > nowSeconds + TOKEN_LIFETIME_SECONDS_MAX) {
      throw new ControlError('badRequest', 'expireTime must be in the future and at most 30 days ahead.');
    }
    const wish = { sessionId: session.sessionId, role, data, expiresAtSeconds, url: systemUrl(request) };
    return { token: await issueClientToken(wish, context.project, nowMs) };
  });
}

function migrationRoutes(app: FastifyInstance, options: HttpOptions): void {
  const { context, migrations } = options;
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const body = z
    .object({ target: z.string().max(64).optional(), rehearsal: z.boolean().optional() })
    .nullish();
  const start = { params: sessionParams, body, response: { 200: migrationStarted } };
  typed.post(`${SESSION}/migrate`, { schema: start }, async (request) => {
    const session = await authorized(options, request, request.params);
    const { target = null, rehearsal = false } = request.body ?? {};
    return viewStarted(await migrations.start(session, { target, rehearsal }));
  });
  const params = sessionParams.extend({ migrationId: z.string().max(64) });
  const read = { params, response: { 200: migrationView } };
  typed.get(`${SESSION}/migrate/:migrationId`, { schema: read }, async (request) => {
    const session = await authorized(options, request, request.params);
    const migration = await context.storage.migrations.get(request.params.migrationId);
    if (migration === null || migration.sessionId !== session.sessionId) {
      throw new ControlError('migrationNotFound', 'The session has no such migration.');
    }
    return viewMigration(context.storage, migration);
  });
}

function rosterRoutes(app: FastifyInstance, options: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.get(`${SESSION}/stream`, { schema: { params: sessionParams } }, async (request) => {
    const session = await authorized(options, request, request.params);
    const items = [...session.streams.values()].filter((stream) => stream.published).map(viewStream);
    return { count: items.length, items };
  });
  const params = sessionParams.extend({ streamId: z.string().max(64) });
  typed.get(`${SESSION}/stream/:streamId`, { schema: { params } }, async (request, reply) => {
    const session = await authorized(options, request, request.params);
    const stream = session.streams.get(request.params.streamId);
    if (stream?.published !== true)
      throw new ControlError('streamNotFound', 'The session has no such stream.');
    // `opentok` parses the answer itself and fails on one that fetch has parsed already.
    return reply.type('text/plain').send(JSON.stringify(viewStream(stream)));
  });
  typed.get(`${SESSION}/connection`, { schema: { params: sessionParams } }, async (request) => {
    const session = await authorized(options, request, request.params);
    const items = [...session.connections.values()].map((connection) => ({
      connectionId: connection.connectionId,
      connectionState: connection.channel.attached ? 'Connected' : 'Disconnected',
      createdAt: connection.info.creationTime,
    }));
    return { count: items.length, projectId: request.params.projectId, sessionId: session.sessionId, items };
  });
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
    layoutClassList: [],
  };
}
