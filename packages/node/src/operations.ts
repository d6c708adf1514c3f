import fastify, { type FastifyInstance } from 'fastify';
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** What the listener asks of the node, each when it is needed: some take a walk over all transports. */
export interface OperationsView {
  /** Registered with control and not stopping. */
  isInService(): boolean;
  isStopping(): boolean;
  nodeId(): string | null;
  /** In any role. */
  transports(): number;
  counters(): Readonly<Record<string, number>>;
  /** What the node holds now, by name. */
  holdings(): Readonly<Record<string, number>>;
}

/** The small HTTP listener of a node: health, status for load balancers, metrics. */
export async function startOperations(
  host: string,
  port: number,
  view: OperationsView,
): Promise<{ url: string; server: FastifyInstance }> {
  const server = fastify({ logger: false, forceCloseConnections: true });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addGauges(registry, view);
  server.get('/health', (_request, reply) => {
    const isInService = view.isInService();
    return reply.status(isInService ? 200 : 503).send({
      status: isInService ? 'ok' : 'unavailable',
      nodeId: view.nodeId(),
      stopping: view.isStopping(),
    });
  });
  server.get('/api/client/v2/status', (_request, reply) =>
    view.isStopping()
      ? reply.status(503).send({ status: 'failed', result: 'Maintenance mode' })
      : reply.send({ status: 'success', result: 'OK' }),
  );
  server.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  const url = await server.listen({ host, port });
  return { url, server };
}

function addGauges(registry: Registry, view: OperationsView): void {
  new Gauge({
    name: 'godwit_node_transports',
    help: 'Transports that this node holds in any role.',
    registers: [registry],
    collect() {
      this.set(view.transports());
    },
  });
  new Gauge({
    name: 'godwit_node_datapath',
    help: 'Counters of the packet path since the process started.',
    labelNames: ['counter'],
    registers: [registry],
    collect() {
      for (const [counter, value] of Object.entries(view.counters())) this.set({ counter }, value);
    },
  });
  new Gauge({
    name: 'godwit_node_held',
    help: 'What this node holds now; each kind is bounded, and one that grows without load is a leak.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, value] of Object.entries(view.holdings())) this.set({ kind }, value);
    },
  });
}
