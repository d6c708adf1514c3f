/** pino's level numbers that need a word; others are plain information. */
const LEVEL_WORDS: Readonly<Record<number, string>> = { 40: 'warning: ', 50: 'error: ', 60: 'fatal: ' };
/** Fields that say nothing under a name and a terminal. */
const UNSHOWN_FIELDS = new Set(['level', 'time', 'process', 'pid', 'hostname', 'msg']);

/** A child's line for a person: structured log lines become a sentence and its fields, other lines stay. */
export function readableLine(line: string): string {
  if (!line.startsWith('{')) return line;
  const entry = parseEntry(line);
  if (entry === undefined) return line;
  const fields = Object.entries(entry)
    .filter(([name]) => !UNSHOWN_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const text = `${LEVEL_WORDS[entry.level] ?? ''}${entry.msg}`;
  return fields.length === 0 ? text : `${text} (${fields.join(', ')})`;
}

function parseEntry(line: string): { readonly level: number; readonly msg: string } | undefined {
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown };
    const { level, msg } = entry;
    return typeof level === 'number' && typeof msg === 'string' ? { ...entry, level, msg } : undefined;
  } catch {
    return undefined;
  }
}
