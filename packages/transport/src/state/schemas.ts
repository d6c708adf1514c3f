/** Layouts that this version reads, newest first: N and N-1. It writes any of them. */
export const STATE_SCHEMAS: readonly number[] = [1];

/** The highest layout that both sides know; null when there is none, and the transport cannot move. */
export function chooseStateSchema(ours: readonly number[], theirs: readonly number[]): number | null {
  const common = ours.filter((schema) => theirs.includes(schema));
  return common.length === 0 ? null : Math.max(...common);
}
