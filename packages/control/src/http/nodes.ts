import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ControlContext } from '../context.js';
import { ControlError } from '../errors.js';
import { PLANNED_END_REASON_CHARS_MAX } from '../limits.js';
import type { NodeView } from '../nodes/registry.js';
import { nodeCounts, nodeSummary, viewNode, type NodeCounts } from './node-view.js';
import { nothing, timeMs } from './openapi.js';
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
const nodeView = nodeSummary
  .extend({
    plannedEnd: z
      .object({ endsAt: timeMs, reason: z.string() })
      .optional()
      .describe('When its calls are to have left it; absent when none is planned.'),
  })
  .meta({ id: 'Node' });
/** A node with what only operators are told. */
export type AdminNode = Readonly<z.infer<typeof nodeView>>;
const tags = ['admin'];

/** The nodes for administrators, and when they are to end. To be registered where the admin token has been checked. */
export function nodeRoutes(app: FastifyInstance, options: HttpOptions): void {
  readRoutes(app, options);
  plannedEndRoutes(app, options);
}

function readRoutes(app: FastifyInstance, { context }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const list = {
    summary: 'List the media nodes',
    tags,
    response: { 200: z.object({ items: z.array(nodeView) }).describe('All of them.') },
  };
  typed.get(NODES, { schema: list }, async () => {
    const counts = await nodeCounts(context);
    return { items: context.nodes.list().map((node) => viewForAdmin(node, counts)) };
  });
  const read = {
    summary: 'Read a media node',
    tags,
    params,
    response: { 200: nodeView.describe('The node.') },
    errors: ['nodeNotFound'],
  } as const;
  typed.get(NODE, { schema: read }, (request) => nodeOf(context, request.params.nodeId));
}

function plannedEndRoutes(app: FastifyInstance, { context, plannedEnds }: HttpOptions): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const plan = {
    summary: 'Plan the end of a media node',
    description:
      'Sessions with a transport on it are told by `sessionNotification` 4 hours and 1 hour ahead.',
    tags,
    params,
    body,
    response: { 200: nodeView.describe('The node.') },
    errors: ['badRequest', 'nodeNotFound'],
  } as const;
  typed.put(END, { schema: plan }, async (request) => {
    const { nodeId } = request.params;
    const { endsAt, reason } = request.body;
    const endsAtMs = typeof endsAt === 'number' ? endsAt : Date.parse(endsAt);
    await plannedEnds.plan(nodeId, { endsAtMs, reason });
    return nodeOf(context, nodeId);
  });
  const withdraw = {
    summary: 'Take the planned end of a media node back',
    tags,
    params,
    response: { 204: nothing },
    errors: ['nodeNotFound'],
  } as const;
  typed.delete(END, { schema: withdraw }, async (request, reply) => {
    await plannedEnds.withdraw(request.params.nodeId);
    return reply.code(204).send();
  });
}

async function nodeOf(context: ControlContext, nodeId: string): Promise<AdminNode> {
  const node = context.nodes.get(nodeId);
  if (node === null) throw new ControlError('nodeNotFound', 'There is no such node.');
  return viewForAdmin(node, await nodeCounts(context));
}

function viewForAdmin(node: NodeView, counts: NodeCounts): AdminNode {
  const { plannedEnd } = node;
  if (plannedEnd === null) return viewNode(node, counts);
  const { endsAtMs, reason } = plannedEnd;
  return { ...viewNode(node, counts), plannedEnd: { endsAt: endsAtMs, reason } };
}
