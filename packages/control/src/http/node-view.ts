import { z } from 'zod';
import type { ControlContext } from '../context.js';
import type { NodeView } from '../nodes/registry.js';

/** What everybody may know of a node. */
export const nodeSummary = z.object({
  id: z.string(),
  state: z.enum(['in-service', 'stopping', 'unreachable']),
  mediaLoad: z.number().int().describe('Percent of one core.'),
  transports: z.number().int(),
  sessions: z.number().int(),
  version: z.string(),
  pid: z.number().int().nullable(),
  opsUrl: z.string().nullable().describe('Its operations listener: health, status, metrics.'),
});
/** A node as the admin API and the demo page show it. */
export type NodeSummary = Readonly<z.infer<typeof nodeSummary>>;

/** What each node holds, by its id; one that holds nothing may be absent. */
export type NodeCounts = ReadonlyMap<string, { readonly transports: number; readonly sessions: number }>;

/** Over all controls of the database; while it is away, what this one keeps. */
export async function nodeCounts({ storage, membership, roster }: ControlContext): Promise<NodeCounts> {
  if (!membership.isAlone && membership.isSure()) return storage.transports.countLive();
  const held = new Map<string, { transports: number; sessions: Set<string> }>();
  for (const { transport, session } of roster.connections()) {
    if (transport === null) continue;
    const node = held.get(transport.ownerNodeId) ?? { transports: 0, sessions: new Set() };
    node.transports += 1;
    node.sessions.add(session.sessionId);
    held.set(transport.ownerNodeId, node);
  }
  return new Map(
    [...held].map(([nodeId, { transports, sessions }]) => [nodeId, { transports, sessions: sessions.size }]),
  );
}

/** A node as the admin API and the demo page show it. */
export function viewNode(node: NodeView, counts: NodeCounts): NodeSummary {
  return {
    id: node.nodeId,
    state: node.state,
    mediaLoad: Math.round(node.load * 100),
    ...(counts.get(node.nodeId) ?? { transports: 0, sessions: 0 }),
    version: node.version,
    pid: node.pid,
    opsUrl: node.opsUrl,
  };
}
