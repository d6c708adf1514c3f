import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SESSION_ID_CHARS_MAX } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import type { NodeView } from '../nodes/registry.js';
import type { SessionState } from '../roster/state.js';
import { timeMs } from './openapi.js';
import { projectRoutes } from './projects.js';
import type { HttpOptions, RouteOptions } from './server.js';

const nodeSummary = z
  .object({
    id: z.string(),
    state: z.enum(['in-service', 'stopping', 'unreachable']),
    mediaLoad: z.number().int().describe('Percent of one core.'),
    transports: z.number().int(),
    sessions: z.number().int(),
    version: z.string(),
    pid: z.number().int().nullable(),
    opsUrl: z.string().nullable().describe('Its operations listener: health, status, metrics.'),
  })
  .meta({ id: 'Node' });
/** A node as the admin API and the demo page show it. */
export type NodeSummary = Readonly<z.infer<typeof nodeSummary>>;

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
  sessionRoutes(app, options);
  projectRoutes(app, options);
  done();
}

function nodeRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the media nodes',
    tags,
    response: { 200: z.object({ items: z.array(nodeSummary) }).describe('All of them.') },
  };
  typed.get('/admin/v1/nodes', { schema: list }, () => ({
    items: context.nodes.list().map((node) => viewNode(context, node)),
  }));
  const read = {
    summary: 'Read a media node',
    tags,
    params: z.object({ nodeId: z.string().max(64) }),
    response: { 200: nodeSummary.describe('The node.') },
    errors: ['nodeNotFound'],
  } as const;
  typed.get('/admin/v1/nodes/:nodeId', { schema: read }, (request) => {
    const node = context.nodes.get(request.params.nodeId);
    if (node === null) throw new ControlError('nodeNotFound', 'There is no such node.');
    return viewNode(context, node);
  });
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
    return {
      items: records.map((record) => ({
        sessionId: record.sessionId,
        createdAt: record.createdAtMs,
        connections: context.roster.liveSession(record.sessionId)?.connections.size ?? 0,
        streams: context.roster.liveSession(record.sessionId)?.streams.size ?? 0,
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
    const session = await context.roster.session(request.params.sessionId);
    if (session === null) throw new ControlError('sessionNotFound', 'There is no such session.');
    return viewSession(session);
  });
}

/** A node as the admin API and the demo page show it. */
export function viewNode(context: ControlContext, node: NodeView): NodeSummary {
  const connections = context.roster.connectionsOn(node.nodeId);
  return {
    id: node.nodeId,
    state: node.state,
    mediaLoad: Math.round(node.load * 100),
    transports: connections.length,
    sessions: new Set(connections.map(({ session }) => session)).size,
    version: node.version,
    pid: node.pid,
    opsUrl: node.opsUrl,
  };
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
