import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import { PLANNED_END_REASON_CHARS_MAX } from '../limits.js';
import type { NodeView } from '../nodes/registry.js';
import { viewNode, type NodeSummary } from './admin.js';
import type { HttpOptions } from './server.js';

const NODES = '/admin/v1/nodes';
const NODE = `${NODES}/:nodeId`;
const END = `${NODE}/planned-end`;
const params = z.object({ nodeId: z.string().max(64) });
const body = z.object({
  endsAt: z.union([z.int(), z.iso.datetime({ offset: true })], {
    error: 'must be milliseconds since 1970, or an ISO 8601 time with its offset',
  }),
  reason: z.string().trim().max(PLANNED_END_REASON_CHARS_MAX).default(''),
});

/** The nodes for administrators, and when they are to end. To be registered where the admin token has been checked. */
export function nodeRoutes(app: FastifyInstance, { context, plannedEnds }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const view = (nodeId: string): AdminNode => {
    const node = context.nodes.get(nodeId);
    if (node === null) throw new ControlError('nodeNotFound', 'There is no such node.');
    return viewForAdmin(context, node);
  };
  typed.get(NODES, () => ({ items: context.nodes.list().map((node) => viewForAdmin(context, node)) }));
  typed.get(NODE, { schema: { params } }, (request) => view(request.params.nodeId));
  typed.put(END, { schema: { params, body } }, async (request) => {
    const { nodeId } = request.params;
    const { endsAt, reason } = request.body;
    const endsAtMs = typeof endsAt === 'number' ? endsAt : Date.parse(endsAt);
    await plannedEnds.plan(nodeId, { endsAtMs, reason });
    return view(nodeId);
  });
  typed.delete(END, { schema: { params } }, async (request, reply) => {
    await plannedEnds.withdraw(request.params.nodeId);
    return reply.code(204).send();
  });
}

/** A node with what only operators are told. */
export interface AdminNode extends NodeSummary {
  /** Absent when none is planned. */
  readonly plannedEnd?: {
    /** Milliseconds since 1970. */
    readonly endsAt: number;
    readonly reason: string;
  };
}

function viewForAdmin(context: ControlContext, node: NodeView): AdminNode {
  const { plannedEnd } = node;
  if (plannedEnd === null) return viewNode(context, node);
  const { endsAtMs, reason } = plannedEnd;
  return { ...viewNode(context, node), plannedEnd: { endsAt: endsAtMs, reason } };
}
