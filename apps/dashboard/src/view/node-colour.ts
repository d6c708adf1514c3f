/** Accent colours that the style sheets define as --node-1 … --node-6; a seventh node shares the first one's. */
const NODE_COLOURS = 6;

/** Orders node ids as people would: node-2 before node-10. */
export function sortNodeIds(nodeIds: readonly string[]): string[] {
  return [...new Set(nodeIds)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The custom property with the colour of a node, by its place among all nodes; unknown nodes are grey. */
export function nodeColour(nodeId: string | null, nodeIds: readonly string[]): string {
  const index = nodeId === null ? -1 : sortNodeIds(nodeIds).indexOf(nodeId);
  return index < 0 ? '--node-none' : `--node-${String((index % NODE_COLOURS) + 1)}`;
}
