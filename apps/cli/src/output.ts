/** Prints a value as JSON, for scripts. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** Prints rows under their headings, columns aligned. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const line of formatTable(headings, rows)) console.log(line);
}

export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A time of the interface, milliseconds since 1970, to the minute and in UTC. */
export const formatTime = (timeMs: number): string =>
  new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');

/** The one way in which a secret is shown: to the administrator who has just had it made, on standard output. */
export function printMade(label: string, value: string): void {
  process.stdout.write(`${label}: ${value}\nIt is not shown again.\n`);
}
