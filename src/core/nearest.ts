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
    const letters = distance(wanted, name.toLowerCase(), allowed);
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

/**
 * Letters to add, remove or replace to turn one text into the other (Levenshtein distance). A catalog has a thousand names:
 * the work on one of them ends when it cannot come near any more.
 * @returns a number over `most` when the distance is over it
 */
function distance(a: string, b: string, most: number): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  let next = [...row];
  for (let index = 0; index < a.length; index++) {
    const letter = a.charCodeAt(index);
    let least = index + 1;
    next[0] = least;
    let left = least;
    let corner = row[0] ?? 0;
    for (let column = 0; column < b.length; column++) {
      const above = row[column + 1] ?? 0;
      left = Math.min(corner + (letter === b.charCodeAt(column) ? 0 : 1), above + 1, left + 1);
      corner = above;
      next[column + 1] = left;
      if (left < least) least = left;
    }
    if (least > most) return least;
    [row, next] = [next, row];
  }
  return row[b.length] ?? 0;
}
