/** The meaning of a stream's chunks: what has begun, the tokens, and the end of each candidate. */
import { isObject } from '../../core/json.ts';
import { noTokenCounts, type TokenCounts } from '../../core/usage.ts';
import type { Reading } from '../event-reading.ts';
import { type Fields, member, nonEmpty } from './names.ts';
import { readUsage } from './usage.ts';

export function createChunkReading(): Reading {
  return new ChunkReading();
}

class ChunkReading implements Reading {
  begun = false;
  tokens: TokenCounts = noTokenCounts;
  /** The stream has no last event. */
  readonly last = false;
  private blocked = false;
  /** Whether each candidate that was seen has its finish reason. */
  private readonly ends = new Map<unknown, boolean>();

  get answered(): boolean {
    return this.ends.size > 0 || this.blocked;
  }

  get ended(): boolean {
    return this.answered && ![...this.ends.values()].includes(false);
  }

  take(chunk: Fields): boolean {
    const candidates = member(chunk, 'candidates');
    for (const [at, candidate] of (Array.isArray(candidates) ? candidates : []).entries()) {
      if (isObject(candidate)) this.candidate(candidate, at);
    }
    const feedback = member(chunk, 'promptFeedback');
    if (isObject(feedback) && nonEmpty(member(feedback, 'blockReason')) !== null) this.blocked = this.begun = true;
    const usage = member(chunk, 'usageMetadata');
    if (isObject(usage)) this.tokens = readUsage(usage);
    return true;
  }

  private candidate(candidate: Fields, at: number): void {
    const index = member(candidate, 'index') ?? at;
    const isEnded = nonEmpty(member(candidate, 'finishReason')) !== null;
    this.ends.set(index, isEnded || this.ends.get(index) === true);
    const content = member(candidate, 'content');
    const parts = isObject(content) ? content['parts'] : null;
    if (isEnded || (Array.isArray(parts) && parts.some(hasContent))) this.begun = true;
  }
}

function hasContent(part: unknown): boolean {
  return isObject(part) && part['text'] !== '';
}
