import type { FastifyInstance } from 'fastify';
import { errorCatalogue } from '../errors.js';
import { holdingsOf } from '../holdings.js';
import type { HttpOptions } from './server.js';

/** `/health`, the status URL for load balancers, and `/metrics`. */
export function healthRoutes(
  app: FastifyInstance,
  { context, migrations }: HttpOptions,
  done: () => void,
): void {
  app.get('/health', (_request, reply) => {
    const isReady = context.nodes.list().some((node) => node.inService);
    if (isReady && !context.isLeaving()) return reply.send({ status: 'ok' });
    const { status, code, message } = errorCatalogue.unavailable;
    const reason = isReady ? 'This control is about to end.' : 'No media node is in service yet.';
    return reply.code(status).send({ status: 'unavailable', reason, code, message, description: reason });
  });
  app.get('/api/client/v2/status', () => ({ status: 'success', result: 'OK' }));
  app.get('/metrics', async (_request, reply) => {
    const { metrics, roster, nodes } = context;
    const connections = roster.connections();
    metrics.connections.set(connections.length);
    metrics.sessions.set(new Set(connections.map(({ session }) => session)).size);
    const published = roster
      .sessions()
      .flatMap((session) => [...session.streams.values()].filter((stream) => stream.published));
    metrics.streams.set(published.length);
    metrics.nodes.reset();
    for (const node of nodes.list()) metrics.nodes.inc({ state: node.state });
    for (const [kind, value] of Object.entries(holdingsOf(context, migrations)))
      metrics.held.set({ kind }, value);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  done();
}
