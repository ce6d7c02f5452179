/** Output for people: aligned columns, relative times, and no control characters. */

/** Width of a table, in columns, where a terminal is not known to have more. */
const tableWidth = 100;
/** Space between two columns of a table, in characters. */
const gap = 2;

/** Replaces control characters: an escape sequence in a stored name must not reach the terminal (CWE-150). */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

/** The text as a shell word, quoted when it has to be. */
export function shellWord(text: string): string {
  return /^[\w.:/@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Indented JSON, for scripts and people. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Lines of `name  value`. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width + gap)}${printable(value)}\n`).join('');
}

/**
 * A table of at most 100 columns, or as many as the terminal has more.
 * @param flexible title of the column that is shortened when the table would be too wide
 * @param columns of the terminal; null: there is none
 */
export function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  flexible: string,
  columns: number | null = null,
): string {
  const lines = [titles, ...rows.map((row) => row.map(printable))];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  const excess = widths.reduce((sum, width) => sum + width + gap, -gap) - Math.max(tableWidth, columns ?? 0);
  const cut = titles.indexOf(flexible);
  if (excess > 0) widths[cut] = Math.max(flexible.length, (widths[cut] ?? 0) - excess);
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => fill(cell, widths[column] ?? 0))
          .join(' '.repeat(gap))
          .trimEnd()}\n`,
    )
    .join('');
}

function fill(text: string, width: number): string {
  let kept = text;
  if (widthOf(text) > width) {
    const characters = [...text];
    while (widthOf(characters.join('')) > width - 1) characters.pop();
    kept = `${characters.join('')}…`;
  }
  return kept + ' '.repeat(width - widthOf(kept));
}

/** The width of a text on a terminal, in columns: East Asian characters and emoji take two, marks none (a short form of Unicode annex 11). */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width += /[\p{Emoji_Presentation}\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\u{FF01}-\u{FF60}]/u.test(character) ? 2 : 1;
  }
  return width;
}

const sizes = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** `1.2 MiB (1258291 bytes)` */
export function bytes(count: number): string {
  const exact = `${count} byte${count === 1 ? '' : 's'}`;
  const larger = sizes.find(([, least]) => count >= least);
  return larger === undefined ? exact : `${(count / larger[1]).toFixed(1)} ${larger[0]} (${exact})`;
}

const units = [
  ['year', 365 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** `29 days`: the largest unit that fits, rounded down. @param milliseconds a span, 0 or more */
export function span(milliseconds: number): string {
  const [unit, size] = units.find(([, length]) => milliseconds >= length) ?? (['second', 1000] as const);
  const count = Math.floor(milliseconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** `in 29 days`, `3 hours ago`. Times are milliseconds since 1970. */
export function fromNow(at: number, now: number): string {
  return at > now ? `in ${span(at - now)}` : `${span(now - at)} ago`;
}

/** `2026-12-21T11:06:32Z`: ISO 8601 to the second. */
export function isoTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
