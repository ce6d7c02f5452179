/** Whole answers of Converse as answers of the hub (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
import type { Answer, AnswerEnd, Part } from '../../core/conversation.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { parsed } from '../failure-words.ts';
import { brokenProtocol } from '../failures.ts';
import { decodeBlock, itemTexts, memberOf } from './decode-blocks.ts';
import { failureInside } from './errors.ts';
import { failureOfStop, readEnd } from './stop-reasons.ts';
import { readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;

export function decodeAnswer(text: string): Answer | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  const value = parsed(text);
  if (!isObject(value)) return brokenProtocol('answered something that is not a JSON object');
  const failure = failureInside(value, text) ?? failureOfStop(value['stopReason']);
  if (failure !== null) return failure;
  const parts = partsIn(value, text);
  if (parts === null) return brokenProtocol('answered JSON that is not an answer of Converse');
  const end = readEnd(
    value['stopReason'],
    parts.some(({ type }) => type === 'toolCall'),
  );
  return { id: null, model: null, parts: withoutCutCall(parts, end), tokens: readUsage(value['usage']), end };
}

/** @returns null for what is no answer */
function partsIn({ output, stopReason }: Fields, text: string): readonly Part[] | null {
  const message: unknown = isObject(output) ? output['message'] : null;
  const content: unknown = isObject(message) ? message['content'] : null;
  if (!Array.isArray(content) || typeof stopReason !== 'string') return null;
  const written = ['output', 'message', 'content'].reduce<string | null>(
    (part, name) => (part === null ? null : memberOf(part, name)),
    text,
  );
  const texts = itemTexts(written ?? '[]');
  const parts = content.map((block: unknown, index) => decodeBlock(block, texts[index] ?? '{}'));
  return parts.every((part) => part !== null) ? parts : null;
}

/** The length limit left a call without any argument: that is no call with the arguments `{}`. */
function withoutCutCall(parts: readonly Part[], { reason }: AnswerEnd): readonly Part[] {
  const last = parts.at(-1);
  if (reason !== 'length' || last?.type !== 'toolCall' || last.arguments.replaceAll(/\s/g, '') !== '{}') return parts;
  return [...parts.slice(0, -1), { ...last, arguments: '' }];
}
