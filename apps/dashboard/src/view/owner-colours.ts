import type { OwnerChange } from '../gaps/board.js';

/** Stops of a gradient over the view, 0 to 1, in order; the first owner also colours what was before it. */
export function colourStops(
  changes: readonly OwnerChange[],
  view: { readonly fromMs: number; readonly toMs: number },
): { from: number; to: number; nodeId: string }[] {
  const place = (atMs: number): number =>
    Math.min(1, Math.max(0, (atMs - view.fromMs) / (view.toMs - view.fromMs)));
  return changes.map((change, index) => ({
    from: index === 0 ? 0 : place(change.fromMs),
    to: place(changes[index + 1]?.fromMs ?? view.toMs),
    nodeId: change.nodeId,
  }));
}
