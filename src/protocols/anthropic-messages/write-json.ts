/** Blocks and messages as JSON text, made by hand where a text must go through unchanged. */
import type { Block } from './encode-blocks.ts';

/** Anthropic takes four cache marks a request (https://docs.claude.com/en/docs/build-with-claude/prompt-caching). */
const mostMarks = 4;

/** Writes the last four cache marks of a request and leaves out those before them. */
export class CacheMarks {
  private skip: number;

  /** @param marks all marks of the request, in the order of the prompt: tools, system, messages */
  constructor(marks: number) {
    this.skip = Math.max(0, marks - mostMarks);
  }

  /** @returns the member with its comma; empty for a mark that is left out */
  write(mark: unknown): string {
    if (mark === undefined || this.skip-- > 0) return '';
    return `,"cache_control":${JSON.stringify(mark)}`;
  }
}

export function countMarks(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { mark, inner }) => sum + (mark === undefined ? 0 : 1) + countMarks(inner ?? []), 0);
}

export function writeBlock(block: Block, marks: CacheMarks): string {
  const fields = JSON.stringify(block.fields).slice(0, -1);
  const input = block.input === undefined ? '' : `,"input":${block.input}`;
  const content = block.inner === undefined ? '' : `,"content":${writeBlocks(block.inner, marks)}`;
  return `${fields}${input}${content}${marks.write(block.mark)}}`;
}

export function writeBlocks(blocks: readonly Block[], marks: CacheMarks): string {
  return `[${blocks.map((each) => writeBlock(each, marks)).join(',')}]`;
}
