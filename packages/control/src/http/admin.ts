import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SESSION_ID_CHARS_MAX } from '@godwit/protocol';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import type { NodeView } from '../nodes/registry.js';
import { keepSession } from '../roster/keep.js';
import type { SessionState } from '../roster/state.js';
import { verifyAdminToken } from '../tokens/project-token.js';
import { nodeRoutes } from './nodes.js';
import { projectRoutes } from './projects.js';
import type { HttpOptions } from './server.js';

/** What operators read and do under /admin/v1. */
export function adminRoutes(app: FastifyInstance, options: HttpOptions, done: () => void): void {
  const { context, adminToken } = options;
  app.addHook('onRequest', async (request) => verifyAdminToken(request.headers.authorization, adminToken));
  const typed = app.withTypeProvider<ZodTypeProvider>();
  nodeRoutes(app, options);
  typed.get('/admin/v1/sessions', async () => {
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
  const params = z.object({ sessionId: z.string().max(SESSION_ID_CHARS_MAX) });
  typed.get('/admin/v1/sessions/:sessionId', { schema: { params } }, async (request) => {
    const session = await keepSession(context, request.params.sessionId);
    if (session === null) throw new ControlError('sessionNotFound', 'There is no such session.');
    return viewSession(session);
  });
  projectRoutes(app, options);
  done();
}

export interface NodeSummary {
  readonly id: string;
  readonly state: string;
  /** Integer percent of one core. */
  readonly mediaLoad: number;
  readonly transports: number;
  readonly sessions: number;
  readonly version: string;
  readonly pid: number | null;
  readonly opsUrl: string | null;
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

export interface SessionView {
  readonly sessionId: string;
  readonly connections: readonly {
    readonly connectionId: string;
    readonly nodeId: string | null;
    readonly epoch: number | null;
    readonly migratable: boolean;
  }[];
  readonly streams: readonly {
    readonly streamId: string;
    readonly connectionId: string;
    readonly name: string;
  }[];
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
