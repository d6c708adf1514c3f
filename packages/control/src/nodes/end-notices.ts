import type { PlannedEnd } from '@godwit/storage';
import { END_NOTICES_SECONDS, END_NOTICE_SLACK_MS } from '../limits.js';
import type { NodeView } from './registry.js';

/**
 * The notice that is true now: the seconds that it names, or null. One whose time had passed when the end was planned is
 * left out, but not the last: who is told too late is told all the same.
 */
export function currentNotice(
  { endsAtMs, plannedAtMs }: Pick<PlannedEnd, 'endsAtMs' | 'plannedAtMs'>,
  nowMs: number,
): number | null {
  const remainingMs = endsAtMs - nowMs;
  const reached = END_NOTICES_SECONDS.findLast((seconds) => remainingMs <= seconds * 1_000);
  if (reached === undefined || remainingMs <= 0) return null;
  if (reached === END_NOTICES_SECONDS.at(-1)) return reached;
  const wasPlannedInTime = endsAtMs - plannedAtMs >= reached * 1_000 - END_NOTICE_SLACK_MS;
  return wasPlannedInTime ? reached : null;
}

/** What has become of the node that an end was planned for. */
export type Whereabouts =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'away' }
  /** Under this id, as this process, at these addresses. */
  | { readonly kind: 'moved'; readonly place: Pick<PlannedEnd, 'nodeId' | 'identityKey' | 'addresses'> }
  /** A node of another host has its id. */
  | { readonly kind: 'replaced' };

/**
 * Finds the node of a plan again. A node that starts anew has another identity and often another id; it is the same
 * when it has an address of the former, or its id on the same host.
 */
export function whereaboutsOf(
  plan: Pick<PlannedEnd, 'nodeId' | 'identityKey' | 'addresses'>,
  nodes: readonly NodeView[],
): Whereabouts {
  const known = new Set(plan.addresses);
  const isThere = (node: NodeView): boolean => addressesOf(node).some((address) => known.has(address));
  const isIt = ({ identityKey }: NodeView): boolean => identityKey === plan.identityKey;
  const reachable = nodes.filter(({ state }) => state !== 'unreachable');
  const node = reachable.find(isIt) ?? reachable.find(isThere) ?? nodes.find(isIt);
  if (node !== undefined) return moved(plan, node);
  const heir = nodes.find(({ nodeId }) => nodeId === plan.nodeId);
  if (heir === undefined || heir.addresses.length === 0) return { kind: 'away' };
  const hosts = new Set(plan.addresses.map(hostOf));
  const isSameHost = addressesOf(heir).some((address) => hosts.has(hostOf(address)));
  return isSameHost ? moved(plan, heir) : { kind: 'replaced' };
}

/** Where clients reach a node, `address:port`. */
export const addressesOf = ({ addresses }: Pick<NodeView, 'addresses'>): string[] =>
  addresses.map(({ address, port }) => `${address}:${port}`);

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));

function moved(plan: Pick<PlannedEnd, 'nodeId' | 'identityKey' | 'addresses'>, node: NodeView): Whereabouts {
  const { nodeId, identityKey } = node;
  // One that has not reported since control started says nothing of its addresses.
  const addresses = node.addresses.length === 0 ? plan.addresses : addressesOf(node);
  const isUnchanged =
    nodeId === plan.nodeId && identityKey === plan.identityKey && addresses.join() === plan.addresses.join();
  return isUnchanged ? { kind: 'unchanged' } : { kind: 'moved', place: { nodeId, identityKey, addresses } };
}
