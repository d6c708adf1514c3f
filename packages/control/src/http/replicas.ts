import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { timeMs } from './openapi.js';
import type { HttpOptions } from './server.js';

const replicaView = z
  .object({
    id: z.string().describe('Another one at each start.'),
    url: z.string().nullable().describe('Where the others and the nodes reach it; null until it listens.'),
    startedAt: timeMs,
    isAsked: z.boolean().describe('True for the one that answers this.'),
  })
  .meta({ id: 'Replica' });
/** A control of the database, as the admin API shows it. */
export type ReplicaView = Readonly<z.infer<typeof replicaView>>;

/** The controls that share the database. To be registered where the admin token has been checked. */
export function replicaRoutes(app: FastifyInstance, { context: { membership } }: HttpOptions): void {
  const schema = {
    summary: 'List the controls of the database',
    tags: ['admin'],
    response: {
      200: z.object({ items: z.array(replicaView) }).describe('Those that count as alive, oldest first.'),
    },
  };
  app.withTypeProvider<ZodTypeProvider>().get('/admin/v1/replicas', { schema }, () => ({
    items: membership.replicas().map(({ replicaId, url, startedAtMs }) => ({
      id: replicaId,
      url,
      startedAt: startedAtMs,
      isAsked: replicaId === membership.replicaId,
    })),
  }));
}
