/** Bars and lines of bars, of text alone: eighths of a block where the terminal shows UTF-8, else ASCII. No colours. */

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;
const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const asciiHeights = [' ', '.', ':', '|'] as const;

/** A horizontal bar. @param share of the whole width, 0 to 1. @param width in columns */
export function bar(share: number, width: number, unicode: boolean): string {
  const length = Math.min(Math.max(share, 0), 1) * width;
  if (!unicode) return '#'.repeat(share > 0 ? Math.max(1, Math.round(length)) : 0);
  const parts = share > 0 ? Math.max(1, Math.round(length * 8)) : 0;
  return `${'█'.repeat(Math.floor(parts / 8))}${eighths[parts % 8] ?? ''}`;
}

/** One column for each value, as high as its share of the largest. More values than columns are added up in turn. */
export function sparkline(values: readonly number[], columns: number, unicode: boolean): string {
  const steps = unicode ? heights : asciiHeights;
  const shown = inColumns(values, columns);
  const most = Math.max(...shown);
  return shown.map((value) => steps[value <= 0 ? 0 : Math.ceil((value / most) * (steps.length - 1))] ?? '').join('');
}

function inColumns(values: readonly number[], columns: number): readonly number[] {
  const each = Math.ceil(values.length / columns);
  const sums: number[] = [];
  for (const [index, value] of values.entries()) {
    const column = Math.floor(index / each);
    sums[column] = (sums[column] ?? 0) + value;
  }
  return sums;
}
