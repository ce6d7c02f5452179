/** Blocks and lists of Converse as JSON text, made by hand where a text must go through unchanged. */
import type { CacheHint } from '../../core/conversation.ts';

/** A block as JSON text, with the cache point behind it. */
export interface Block {
  readonly json: string;
  readonly cache?: CacheHint | undefined;
}

/** Bedrock takes four cache points a request (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html). */
const mostPoints = 4;

/** Writes the last four cache points of a request and leaves out those before them. */
export class CachePoints {
  private skip: number;

  /** @param blocks all of the request, in the order of the prompt: tools, system, messages. @param takes the model has cache points */
  constructor(blocks: readonly Block[], takes: boolean) {
    const points = blocks.filter(({ cache }) => cache !== undefined).length;
    this.skip = takes ? Math.max(0, points - mostPoints) : points;
  }

  writeList(blocks: readonly Block[]): string {
    return `[${blocks.map((block) => block.json + this.point(block.cache)).join(',')}]`;
  }

  /** @returns the block with its comma; empty for a point that is left out */
  private point(cache: CacheHint | undefined): string {
    if (cache === undefined || this.skip-- > 0) return '';
    const { ttl } = cache;
    return `,${JSON.stringify({ cachePoint: { type: 'default', ...(ttl === '5m' || ttl === '1h' ? { ttl } : {}) } })}`;
  }
}

/** @param members names with the JSON text of their values */
export function writeObject(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

/** A pair of escaped surrogates, a lone one, any other escape: a scan from left to right meets each escape once. */
const escapes = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\./g;
const escapeLength = 6;

/** JSON text in which each lone surrogate is U+FFFD: Bedrock refuses a request with one. */
export function wellFormedJson(json: string): string {
  const text = json.toWellFormed();
  if (!/\\u[dD]/.test(text)) return text;
  return text.replace(escapes, (each) => (each.length === escapeLength ? '\\ufffd' : each));
}
