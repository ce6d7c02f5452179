/** Whole answers of Google's API, from an upstream, that go to its clients as they are. */
import { isObject } from '../../core/json.ts';
import type { UpstreamFailure, WholeAnswer } from '../../core/protocol.ts';
import { noTokenCounts } from '../../core/usage.ts';
import { parsed } from '../failure-words.ts';
import { brokenProtocol } from '../failures.ts';
import { readChunks } from './decode-answer.ts';
import { readEmbeddings } from './embeddings.ts';
import { failureInside } from './errors.ts';
import { member } from './names.ts';
import { readUsage } from './usage.ts';

export function readContent(text: string): WholeAnswer | UpstreamFailure {
  const chunks = readChunks(text);
  if ('kind' in chunks) return chunks;
  const usage = chunks.map((chunk) => member(chunk, 'usageMetadata')).findLast(isObject);
  return { body: text, tokens: readUsage(usage) };
}

/** Counting makes no tokens. */
const noneUsed = { ...noTokenCounts, prompt: 0, completion: 0 };

export function readCount(text: string): WholeAnswer | UpstreamFailure {
  const answer = parsed(text);
  if (!isObject(answer)) return brokenProtocol('answered JSON that is not a count of tokens');
  const failure = failureInside(answer, text);
  if (failure !== null) return failure;
  if (typeof member(answer, 'totalTokens') !== 'number') return brokenProtocol('answered JSON that is not a count of tokens');
  return { body: text, tokens: noneUsed };
}

export function readVectors(text: string): WholeAnswer | UpstreamFailure {
  const answer = readEmbeddings(text);
  if ('kind' in answer) return answer;
  const { prompt } = readUsage(member(answer.fields, 'usageMetadata'));
  return { body: text, tokens: prompt === null ? noTokenCounts : { ...noTokenCounts, prompt, completion: 0 } };
}
