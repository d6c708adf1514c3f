/**
 * The layout of a portable state that a move uses: the highest that both nodes advertise (HANDOVER 4). Null when they have
 * none in common, and a transport cannot move between them.
 */
export function chooseStateSchema(ours: readonly number[], theirs: readonly number[]): number | null {
  const common = ours.filter((schema) => theirs.includes(schema));
  return common.length === 0 ? null : Math.max(...common);
}
