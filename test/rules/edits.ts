/** Edits of a copy of the tree: what is added, and what is left out of it. */

export interface Edit {
  /** From the root of the tree. */
  readonly path: string;
  /** @param text the file as it is; empty when there is none */
  readonly change: (text: string) => string;
}

/** Something that is not whole yet. */
export interface Half {
  readonly what: string;
  /** What is done to this file when all is whole is left out. */
  readonly leaveOut: string;
  /** Done to it in place of that. */
  readonly instead?: Edit['change'];
  /** A file of tests, or the compiler. */
  readonly guard: string;
  /** Of that file, the tests that are asked, by a part of their names. */
  readonly tests: string;
  /** Stands in what the guard prints; default that a test fails. */
  readonly says?: string;
}

export interface Addition {
  /** The first cell of its row. */
  readonly row: string;
  readonly edits: readonly Edit[];
  /** The code that acts on a setting, which no table can name. */
  readonly acting?: Edit;
  readonly halves: readonly Half[];
}

export const compiler = 'the compiler';

/** @throws Error when the file no longer has the text that the edit goes by */
export function before(path: string, anchor: string, added: string): Edit {
  return replace(path, anchor, added + anchor);
}

export function after(path: string, anchor: string, added: string): Edit {
  return replace(path, anchor, anchor + added);
}

export function replace(path: string, anchor: string, by: string): Edit {
  return { path, change: (text) => replaced(path, text, anchor, by) };
}

function replaced(path: string, text: string, anchor: string, by: string): string {
  if (text.split(anchor).length !== 2) throw new Error(`${path} has not exactly one: ${anchor}`);
  return text.replace(anchor, () => by);
}

/** Two edits of one file as one. */
export const both = (first: Edit, second: Edit): Edit => ({
  path: first.path,
  change: (text) => second.change(first.change(text)),
});
