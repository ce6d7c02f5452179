/** The answers of Google's API, whole or in chunks, as steps of the hub. */
import { isObject } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { exactParts } from './arguments.ts';
import { isFailedEnd, readEnd } from './end-reasons.ts';
import { failureInside } from './errors.ts';
import { type Fields, member, nonEmpty } from './names.ts';
import { createPartReading, type Take } from './part-reading.ts';
import { readUsage } from './usage.ts';

export interface AnswerReading {
  /** Takes an answer, or one chunk of it. @param data its JSON text. @returns the failure that it tells; null: none */
  take(chunk: Fields, data: string, take: Take): UpstreamFailure | null;
  /** All has come. @returns whether the answer is complete; the step `end` is then taken */
  finish(take: Take): boolean;
}

export function createAnswerReading(): AnswerReading {
  return new Reading();
}

class Reading implements AnswerReading {
  private readonly parts = createPartReading();
  private begun = false;
  /** The finish reason of each candidate that was seen; null while it has none. */
  private readonly reasons = new Map<unknown, string | null>();
  /** The candidate that is the answer: the first one that was seen. */
  private main: unknown = null;
  /** The reason why the prompt was not answered. */
  private blocked: string | null = null;

  take(chunk: Fields, data: string, take: Take): UpstreamFailure | null {
    const failure = failureInside(chunk, data);
    if (failure !== null) return failure;
    const candidates = member(chunk, 'candidates');
    const feedback = member(chunk, 'promptFeedback');
    if (isObject(feedback)) this.blocked = nonEmpty(member(feedback, 'blockReason')) ?? this.blocked;
    if (!this.begun && (Array.isArray(candidates) || this.blocked !== null)) this.begin(chunk, take);
    for (const [at, candidate] of (Array.isArray(candidates) ? candidates : []).entries()) {
      if (isObject(candidate)) this.candidate(candidate, at, data, take);
    }
    const usage = member(chunk, 'usageMetadata');
    if (isObject(usage) && this.begun) take({ type: 'usage', tokens: readUsage(usage) });
    const word = this.reasons.get(this.main) ?? null;
    return word !== null && isFailedEnd(word) ? failedAnswer(word, candidates) : null;
  }

  finish(take: Take): boolean {
    const words = [...this.reasons.values()];
    if (words.includes(null) || (words.length === 0 && this.blocked === null)) return false;
    this.parts.finish(take);
    const word = this.reasons.get(this.main) ?? null;
    const end = word === null ? readEnd('PROHIBITED_CONTENT', false) : readEnd(word, this.parts.calls);
    take({ type: 'end', end });
    return true;
  }

  private begin(chunk: Fields, take: Take): void {
    this.begun = true;
    take({ type: 'begin', id: nonEmpty(member(chunk, 'responseId')), model: nonEmpty(member(chunk, 'modelVersion')) });
  }

  private candidate(candidate: Fields, at: number, data: string, take: Take): void {
    const index = member(candidate, 'index') ?? at;
    if (this.reasons.size === 0) this.main = index;
    this.reasons.set(index, nonEmpty(member(candidate, 'finishReason')) ?? this.reasons.get(index) ?? null);
    if (index !== this.main) return;
    const content = member(candidate, 'content');
    const parts = isObject(content) ? member(content, 'parts') : null;
    const list: readonly unknown[] = Array.isArray(parts) ? parts : [];
    const exact = list.length === 0 ? null : exactParts(data, at);
    for (const [place, part] of list.entries()) {
      if (isObject(part)) this.parts.take(part, exact?.[place] ?? null, take);
    }
  }
}

function failedAnswer(word: string, candidates: unknown): UpstreamFailure {
  const first: unknown = Array.isArray(candidates) ? candidates[0] : null;
  const told = isObject(first) ? nonEmpty(member(first, 'finishMessage')) : null;
  const message = `The answer ended with ${word}${told === null ? '' : `: ${told}`}`;
  return { kind: 'server_error', status: 502, message, param: null, code: word, retryAfterMs: null, body: null };
}
