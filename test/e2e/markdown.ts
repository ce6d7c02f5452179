/** What a document of the project says that can be run or compared: its fenced blocks, the commands in them, its code spans. */

/** A fenced block. */
export interface Block {
  /** Of its opening fence, from 1. */
  readonly line: number;
  /** The first word behind the fence: `sh`, `js`, `json`, `jsonc`, `text`; empty when there is none. */
  readonly language: string;
  /** The word after that: what is special about it. */
  readonly word: string;
  readonly text: string;
}

/** One command of a shell block, with the lines that belong to it. */
export interface Command {
  /** Counted from the block's opening fence, which is 0. */
  readonly line: number;
  readonly text: string;
}

export function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; lines: string[] } | null = null;
  for (const [at, line] of document.split('\n').entries()) {
    if (open === null) {
      const info = /^```(.*)$/.exec(line)?.[1];
      if (info !== undefined) open = { line: at + 1, info: info.trim(), lines: [] };
    } else if (line.trimEnd() === '```') {
      const [language = '', word = ''] = open.info.split(/\s+/);
      blocks.push({ line: open.line, language, word, text: open.lines.join('\n') });
      open = null;
    } else open.lines.push(line);
  }
  if (open !== null) throw new Error(`the block of line ${open.line} has no end`);
  return blocks;
}

/** Code spans outside of blocks, with their line. */
export function spansOf(document: string): { readonly line: number; readonly text: string }[] {
  const spans: { line: number; text: string }[] = [];
  let inBlock = false;
  for (const [at, line] of document.split('\n').entries()) {
    if (line.startsWith('```')) inBlock = !inBlock;
    else if (!inBlock) for (const [, text = ''] of line.matchAll(/`([^`]+)`/g)) spans.push({ line: at + 1, text });
  }
  return spans;
}

/** Commands in their order: a quote that is open or a backslash at the end takes the next line in; comments are left out. */
export function commandsOf(block: string): Command[] {
  const commands: Command[] = [];
  let taken: { line: number; lines: string[] } | null = null;
  for (const [at, line] of block.split('\n').entries()) {
    if (taken === null && /^\s*(?:#.*)?$/.test(line)) continue;
    taken ??= { line: at + 1, lines: [] };
    taken.lines.push(line);
    const text = taken.lines.join('\n');
    if (goesOn(text)) continue;
    commands.push({ line: taken.line, text });
    taken = null;
  }
  if (taken !== null) throw new Error(`a command has no end: ${taken.lines.join('\n')}`);
  return commands;
}

function goesOn(text: string): boolean {
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote !== '') {
      if (character === '\\' && quote === '"') at++;
      else if (character === quote) quote = '';
    } else if (character === '\\') {
      if (at === text.length - 1) return true;
      at++;
    } else if (character === "'" || character === '"') quote = character;
    else if (character === '#' && /^$|\s/.test(text[at - 1] ?? '')) {
      const end = text.indexOf('\n', at);
      if (end < 0) return false;
      at = end;
    }
  }
  return quote !== '';
}

/** Whether what was printed is what is claimed: `…` stands for anything in a line, alone in a line for any lines. */
export function isOutput(claimed: string, printed: string): boolean {
  const line = (text: string) => text.trimEnd().split('…').map(RegExp.escape).join('.*');
  const pattern = claimed
    .trim()
    .split('\n')
    .map((text) => (text.trim() === '…' ? '(?:.*\\n)*?' : `${line(text)}[^\\S\\n]*\\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${printed.trim()}\n`);
}

/**
 * Whether a JSON answer has everything that is claimed; what it has besides is not looked at. A string `…` stands for any value,
 * within a string for any characters.
 */
export function hasClaimed(claimed: unknown, given: unknown): boolean {
  if (claimed === '…') return given !== undefined;
  if (typeof claimed === 'string') return typeof given === 'string' && isOutput(claimed, given);
  if (typeof claimed !== 'object' || claimed === null) return claimed === given;
  if (typeof given !== 'object' || given === null || Array.isArray(claimed) !== Array.isArray(given)) return false;
  const has = given as Readonly<Record<string, unknown>>;
  return Object.entries(claimed).every(([key, value]) => hasClaimed(value, has[key]));
}
