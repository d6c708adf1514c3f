import { nodeColour } from './node-colour.js';

/** A node's name with its colour. */
export function NodeChip({ nodeId, nodeIds }: { nodeId: string | null; nodeIds: readonly string[] }) {
  return (
    <span class="node-chip" style={{ '--node': `var(${nodeColour(nodeId, nodeIds)})` }}>
      <span class="node-dot" aria-hidden="true" />
      {nodeId ?? 'no node yet'}
    </span>
  );
}
