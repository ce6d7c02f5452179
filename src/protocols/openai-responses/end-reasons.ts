/** How a response ended, both ways: its `status` and `incomplete_details`. */
import type { AnswerEnd, EndReason, Part } from '../../core/conversation.ts';
import { isObject } from '../../core/json.ts';
import { type Fields, nonEmpty } from './members.ts';

const reasons: ReadonlyMap<string, EndReason> = new Map<string, EndReason>([
  ['max_output_tokens', 'length'],
  ['max_tokens', 'length'],
  ['content_filter', 'contentFilter'],
]);

/** @param parts kinds of the answer's parts */
export function readEnd({ status, incomplete_details: details }: Fields, parts: Iterable<Part['type']>): AnswerEnd {
  const word = status === 'incomplete' ? reasonIn(details) : null;
  const known = word === null ? undefined : reasons.get(word);
  const unknown = word === null || known !== undefined ? null : word;
  if (known !== undefined) return { reason: known, sequence: null, unknown };
  const all = new Set(parts);
  const reason = all.has('toolCall') ? 'toolCalls' : all.has('refusal') ? 'refusal' : 'stop';
  return { reason, sequence: null, unknown };
}

/** An incomplete response that says no more is not taken for a complete one. */
function reasonIn(details: unknown): string {
  return (isObject(details) ? nonEmpty(details['reason']) : null) ?? 'max_output_tokens';
}

export interface StatusFields {
  readonly status: 'completed' | 'incomplete';
  readonly incomplete_details: { readonly reason: string } | null;
}

const completed: StatusFields = { status: 'completed', incomplete_details: null };

/** @param refused the answer has a refusal in it, which says by itself why there is no more */
export function writeEnd({ reason }: AnswerEnd, refused: boolean): StatusFields {
  if (reason === 'length') return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  const isCut = reason === 'contentFilter' || (reason === 'refusal' && !refused);
  return isCut ? { status: 'incomplete', incomplete_details: { reason: 'content_filter' } } : completed;
}
