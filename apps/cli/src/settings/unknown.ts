/** Names of our own that are no settings: what the tests are told. */
const OF_TESTS = /^GODWIT_(TEST|E2E)_/;
/** More differences than this and two names have nothing to do with each other. */
const EDITS_MAX = 3;

/** Says of each GODWIT_ name that nobody reads that it is none, with the setting that may have been meant. */
export function unknownNames(
  names: readonly string[],
  known: readonly string[],
  where: string,
): readonly string[] {
  return names
    .filter((name) => name.startsWith('GODWIT_') && !OF_TESTS.test(name) && !known.includes(name))
    .map((name) => {
      const near = nearest(name, known);
      return `${name} in ${where} is no setting.${near === null ? '' : ` Did you mean ${near}?`}`;
    });
}

function nearest(name: string, known: readonly string[]): string | null {
  const [best] = known
    .map((candidate) => ({ candidate, edits: editsBetween(name, candidate) }))
    .toSorted((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= EDITS_MAX ? best.candidate : null;
}

/** Letters to add, drop or change (Levenshtein). */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
