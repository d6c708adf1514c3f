import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SESSION_ID_CHARS_MAX } from '@godwit/protocol';
import { ControlError } from '../errors.js';
import { keepSession } from '../roster/keep.js';
import type { SessionState } from '../roster/state.js';
import { nodeRoutes } from './nodes.js';
import { timeMs } from './openapi.js';
import { projectRoutes } from './projects.js';
import { replicaRoutes } from './replicas.js';
import type { HttpOptions, RouteOptions } from './server.js';

const sessionSummary = z.object({
  sessionId: z.string(),
  createdAt: timeMs,
  connections: z.number().int(),
  streams: z.number().int(),
});
const sessionView = z
  .object({
    sessionId: z.string(),
    connections: z.array(
      z.object({
        connectionId: z.string(),
        nodeId: z.string().nullable().describe('The node that owns its transport; null before there is one.'),
        epoch: z.number().int().nullable(),
        migratable: z.boolean().describe('Whether the client follows moves (`sessionMigration`).'),
      }),
    ),
    streams: z.array(z.object({ streamId: z.string(), connectionId: z.string(), name: z.string() })),
  })
  .meta({ id: 'Session' });
/** Who is in a session and which node owns each transport. */
export type SessionView = Readonly<z.infer<typeof sessionView>>;
const tags = ['admin'];

/** Reads for operators under /admin/v1. */
export function adminRoutes(app: FastifyInstance, options: RouteOptions, done: () => void): void {
  const { adminToken, gate } = options;
  app.addHook('onRequest', (request) => gate.admin(request, adminToken));
  nodeRoutes(app, options);
  replicaRoutes(app, options);
  sessionRoutes(app, options);
  projectRoutes(app, options);
  done();
}

function sessionRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the sessions',
    tags,
    response: { 200: z.object({ items: z.array(sessionSummary) }).describe('The newest ones.') },
  };
  typed.get('/admin/v1/sessions', { schema: list }, async () => {
    const records = await context.storage.sessions.list();
    const counts = await context.storage.sessions.countLive(records.map(({ sessionId }) => sessionId));
    return {
      items: records.map(({ sessionId, createdAtMs: createdAt }) => ({
        sessionId,
        createdAt,
        ...(counts.get(sessionId) ?? { connections: 0, streams: 0 }),
      })),
    };
  });
  const read = {
    summary: 'Read a session',
    description: 'Who is in it and which node owns each transport.',
    tags,
    params: z.object({ sessionId: z.string().max(SESSION_ID_CHARS_MAX) }),
    response: { 200: sessionView.describe('The session.') },
    errors: ['sessionNotFound'],
  } as const;
  typed.get('/admin/v1/sessions/:sessionId', { schema: read }, async (request) => {
    const session = await keepSession(context, request.params.sessionId);
    if (session === null) throw new ControlError('sessionNotFound', 'There is no such session.');
    return viewSession(session);
  });
}

/** Who is in a session and which node owns each transport; null before there is one. */
export function viewSession(session: SessionState): SessionView {
  return {
    sessionId: session.sessionId,
    connections: [...session.connections.values()].map(({ connectionId, transport, sessionMigration }) => ({
      connectionId,
      nodeId: transport?.ownerNodeId ?? null,
      epoch: transport?.epoch ?? null,
      migratable: sessionMigration,
    })),
    streams: [...session.streams.values()]
      .filter((stream) => stream.published)
      .map(({ streamId, connection, info }) => ({
        streamId,
        connectionId: connection.connectionId,
        name: info.name,
      })),
  };
}
