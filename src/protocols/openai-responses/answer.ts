/** Whole answers of OpenAI's responses, from an upstream: the response or the count, the failure that it may be, and the tokens it used. */
import type { UpstreamFailure, WholeAnswer } from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';
import { looksLikeEvents } from '../answer-forms.ts';
import { brokenProtocol } from '../failures.ts';
import { responseOfEvents } from './convert.ts';
import { readObject, readResponse } from './decode-answer.ts';
import { readUsage } from './usage.ts';

/** A stream that was not asked for is folded into one response. */
export function readWhole(text: string): WholeAnswer | UpstreamFailure {
  if (!looksLikeEvents(text)) return readOne(text);
  const folded = responseOfEvents(text);
  return typeof folded === 'string' ? readOne(folded) : folded;
}

/** A response in the background is told before it is complete. */
function readOne(text: string): WholeAnswer | UpstreamFailure {
  const read = readResponse(text, 'may run');
  return 'kind' in read ? read : { body: text, tokens: readUsage(read.response['usage']) };
}

/** Counting makes no tokens. */
const noneUsed = { ...noTokenCounts, prompt: 0, completion: 0 };

export function readCount(text: string): WholeAnswer | UpstreamFailure {
  const read = readObject(text, 'a count of tokens');
  if ('kind' in read) return read;
  if (typeof read.fields['input_tokens'] !== 'number') return brokenProtocol('answered JSON that is not a count of tokens');
  return { body: text, tokens: noneUsed };
}

/** A conversation that the vendor made shorter. */
export function readCompacted(text: string): WholeAnswer | UpstreamFailure {
  const read = readObject(text, 'a compacted conversation');
  if ('kind' in read) return read;
  if (!Array.isArray(read.fields['output'])) return brokenProtocol('answered JSON that is not a compacted conversation');
  return { body: text, tokens: readUsage(read.fields['usage']) };
}
