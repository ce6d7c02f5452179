/** Whole answers of Anthropic's API as answers of the hub. */
import type { Answer, AnswerEnd, Part } from '../../core/conversation.ts';
import { OlaError } from '../../core/errors.ts';
import { parseExact } from '../../core/exact-json.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { createDistinctIds } from '../../core/tool-ids.ts';
import { brokenProtocol } from '../failures.ts';
import { decodeBlock, protocolId } from './decode-blocks.ts';
import { readEnd } from './end-reasons.ts';
import { failureInside } from './errors.ts';
import { readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;

export function decodeAnswer(text: string): Answer | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  const value = parsed(text);
  if (value === undefined) return brokenProtocol('answered something that is not JSON');
  if (!isObject(value)) return brokenProtocol('answered JSON that is not a message');
  const failure = failureInside(value, text);
  if (failure !== null) return failure;
  try {
    return messageIn(value) ?? brokenProtocol('answered JSON that is not a message');
  } catch (error) {
    if (error instanceof OlaError) return brokenProtocol('answered a message with a block that is not whole');
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

function messageIn(message: Fields): Answer | null {
  const { id, type: _, role: __, model, content, stop_reason: reason, stop_sequence: sequence, usage, ...others } = message;
  if (!Array.isArray(content) || !content.every(isObject)) return null;
  const end = readEnd(reason, sequence);
  const distinct = createDistinctIds();
  const parts = content.map((block: unknown): Part => {
    const part = decodeBlock(block, null);
    return part.type === 'toolCall' ? { ...part, id: distinct(part.id, null) } : part;
  });
  return {
    id: nonEmpty(id),
    model: nonEmpty(model),
    parts: withoutCutCall(parts, end),
    tokens: readUsage(usage),
    end,
    ...(Object.keys(others).length === 0 ? {} : { extras: { [protocolId]: others } }),
  };
}

/** The length limit left a call without any argument: that is no call with the arguments `{}`. */
function withoutCutCall(parts: readonly Part[], { reason }: AnswerEnd): readonly Part[] {
  const last = parts.at(-1);
  if (reason !== 'length' || last?.type !== 'toolCall' || last.arguments !== '{}') return parts;
  return [...parts.slice(0, -1), { ...last, arguments: '' }];
}

function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
