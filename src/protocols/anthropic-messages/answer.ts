/** Whole answers of Anthropic's API, from an upstream: the message or the count, the failure that it may be, and the tokens it used. */
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure, WholeAnswer } from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';
import { looksLikeEvents } from '../answer-forms.ts';
import { brokenProtocol } from '../failures.ts';
import { withModel } from '../model-splice.ts';
import { messageOfEvents } from './convert.ts';
import { failureInside } from './errors.ts';
import type { Renaming } from './named-model.ts';
import { readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * A stream that was not asked for is folded into one message.
 * @param renaming null: the client names the model as the upstream does
 */
export function readMessage(text: string, renaming: Renaming | null): WholeAnswer | UpstreamFailure {
  if (!looksLikeEvents(text)) return readWhole(text, renaming);
  const folded = messageOfEvents(text);
  return typeof folded === 'string' ? readWhole(folded, renaming) : folded;
}

function readWhole(text: string, renaming: Renaming | null): WholeAnswer | UpstreamFailure {
  const answer = readJson(text, 'a message');
  if ('kind' in answer) return answer;
  const { type, content, usage, model } = answer.fields;
  if (type !== 'message' || !Array.isArray(content)) return brokenProtocol('answered JSON that is not a message');
  const body = renaming === null || model !== renaming.asked ? text : withModel(text, model, renaming.named);
  return { body, tokens: readUsage(usage) };
}

/** Counting makes no tokens. */
const noneUsed = { ...noTokenCounts, prompt: 0, completion: 0 };

export function readCount(text: string): WholeAnswer | UpstreamFailure {
  const answer = readJson(text, 'a count of tokens');
  if ('kind' in answer) return answer;
  if (typeof answer.fields['input_tokens'] !== 'number') return brokenProtocol('answered JSON that is not a count of tokens');
  return { body: text, tokens: noneUsed };
}

/** @param what the name of the answer in words */
function readJson(text: string, what: string): { readonly fields: Fields } | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return brokenProtocol('answered something that is not JSON');
  }
  if (!isObject(answer)) return brokenProtocol(`answered JSON that is not ${what}`);
  return failureInside(answer, text) ?? { fields: answer };
}
