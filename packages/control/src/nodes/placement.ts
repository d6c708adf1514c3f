import { chooseStateSchema } from '@godwit/protocol';
import { NODE_ENDS_SOON_MS } from '../limits.js';

/** A node as placement sees it. */
export interface PlacementNode {
  readonly nodeId: string;
  readonly inService: boolean;
  readonly transports: number;
  /** Share of one core, 0 to 1 or more. */
  readonly load: number;
  /** Layouts of a portable state that it reads and writes. */
  readonly stateSchemas: readonly number[];
  /** Until its planned end; below 0 once that is over, null when none is planned. */
  readonly remainingMs: number | null;
}

/** Whether its end is so near that sessions are told: what begins anew had better begin elsewhere. */
export const endsSoon = ({ remainingMs }: Pick<PlacementNode, 'remainingMs'>): boolean =>
  remainingMs !== null && remainingMs <= NODE_ENDS_SOON_MS;

/** Node for a new transport: the session's home while it is in service, else the least loaded one that does not end soon. */
export function placeTransport(nodes: readonly PlacementNode[], homeNodeId: string | null): string | null {
  const inService = nodes.filter((node) => node.inService);
  return inService.find((node) => node.nodeId === homeNodeId)?.nodeId ?? leastLoaded(inService);
}

/**
 * Where a session migrates when nobody named a target: the least loaded node other than the one that holds most of it,
 * among those that have a layout of the state in common with each owner.
 */
export function chooseTarget(
  nodes: readonly PlacementNode[],
  owners: readonly string[],
  homeNodeId: string | null,
): string | null {
  const main = mostFrequent(owners) ?? homeNodeId;
  // A node that control has lost advertises nothing, and keeps nobody else's transports from moving.
  const sources = nodes.filter((node) => owners.includes(node.nodeId) && node.stateSchemas.length > 0);
  const canTake = (target: PlacementNode): boolean =>
    sources.every((source) => chooseStateSchema(source.stateSchemas, target.stateSchemas) !== null);
  return leastLoaded(nodes.filter((node) => node.inService && node.nodeId !== main && canTake(node)));
}

/** One that ends soon only where there is no other, and then the one that ends last. */
function leastLoaded(nodes: readonly PlacementNode[]): string | null {
  const [best] = nodes.toSorted(
    (a, b) =>
      nearness(a) - nearness(b) ||
      a.transports - b.transports ||
      a.load - b.load ||
      a.nodeId.localeCompare(b.nodeId),
  );
  return best?.nodeId ?? null;
}

/** The larger, the sooner it ends; all that do not end soon are alike. */
const nearness = (node: PlacementNode): number =>
  endsSoon(node) ? 1 + NODE_ENDS_SOON_MS - (node.remainingMs ?? 0) : 0;

function mostFrequent(values: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [best] = [...counts].toSorted(([idA, a], [idB, b]) => b - a || idA.localeCompare(idB));
  return best?.[0] ?? null;
}
