/** Width of a tile by its height: what cameras send. */
export const TILE_ASPECT = 16 / 9;

/**
 * Number of columns that makes `count` tiles of 16:9 largest in a box of that size (px).
 * At least 1; a box without a size (not laid out yet) gets as square a grid as can be.
 */
export function tileColumns(count: number, widthPx: number, heightPx: number, gapPx = 8): number {
  if (count <= 1) return 1;
  if (widthPx <= 0 || heightPx <= 0) return Math.ceil(Math.sqrt(count));
  let best = { columns: 1, tileWidthPx: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const byWidth = (widthPx - gapPx * (columns - 1)) / columns;
    const byHeight = ((heightPx - gapPx * (rows - 1)) / rows) * TILE_ASPECT;
    const tileWidthPx = Math.min(byWidth, byHeight);
    if (tileWidthPx > best.tileWidthPx) best = { columns, tileWidthPx };
  }
  return best.columns;
}
