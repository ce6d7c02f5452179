/** Blocks of Converse as JSON text, with the cache points behind them. */
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
