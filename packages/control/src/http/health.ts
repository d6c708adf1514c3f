import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { errorCatalogue } from '../errors.js';
import { holdingsOf } from '../holdings.js';
import type { HttpOptions } from './server.js';

const tags = ['operations'];
const health = {
  summary: 'Health of the platform',
  tags,
  response: {
    200: z.object({ status: z.literal('ok') }).describe('Sessions can be created, and a node is in service.'),
    503: z
      .object({
        status: z.literal('unavailable'),
        reason: z.string(),
        code: z.number().int(),
        message: z.string(),
        description: z.string(),
      })
      .describe('No node is in service.'),
  },
};
const status = {
  summary: 'Status for load balancers',
  tags,
  response: {
    200: z
      .object({ status: z.literal('success'), result: z.literal('OK') })
      .describe('This control takes requests.'),
  },
};
const metricsText = {
  summary: 'Metrics',
  tags,
  produces: ['text/plain'],
  response: { 200: z.string().describe('In the text format of Prometheus.') },
};

/** `/health`, the status URL for load balancers, and `/metrics`. */
export function healthRoutes(
  app: FastifyInstance,
  { context, migrations }: HttpOptions,
  done: () => void,
): void {
  app.get('/health', { schema: health }, (_request, reply) => {
    const isReady = context.nodes.list().some((node) => node.inService);
    if (isReady && !context.isLeaving()) return reply.send({ status: 'ok' });
    const { status, code, message } = errorCatalogue.unavailable;
    const reason = isReady ? 'This control is about to end.' : 'No media node is in service yet.';
    return reply.code(status).send({ status: 'unavailable', reason, code, message, description: reason });
  });
  app.get('/api/client/v2/status', { schema: status }, () => ({ status: 'success', result: 'OK' }));
  app.get('/metrics', { schema: metricsText }, async (_request, reply) => {
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
