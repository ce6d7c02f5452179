/** The names that a mistyped name may have meant. Pure. */

/** Longest text that is compared, in characters: the work grows with its square. */
const longestCompared = 100;

/**
 * @param most names that are returned
 * @param allowed letters in which they may differ
 * @returns the names that are like the text, the most similar first; none when the text is one of them
 */
export function nearestNames(
  text: string,
  names: Iterable<string>,
  most: number,
  allowed = Math.max(2, text.length / 3),
): readonly string[] {
  const wanted = text.toLowerCase();
  if (text === '' || text.length > longestCompared) return [];
  const close: { readonly name: string; readonly letters: number }[] = [];
  for (const name of names) {
    if (name === text) return [];
    if (Math.abs(name.length - text.length) > allowed) continue;
    const letters = distance(wanted, name.toLowerCase());
    if (letters <= allowed && letters < text.length) close.push({ name, letters });
  }
  return close
    .sort((a, b) => a.letters - b.letters)
    .slice(0, most)
    .map(({ name }) => name);
}

/** A question for the end of a message, with a space in front; empty without names. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : ` Did you mean ${names.map((name) => `'${name}'`).join(' or ')}?`;
}

/** Letters to add, remove or replace to turn one text into the other (Levenshtein distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
