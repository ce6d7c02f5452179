/** Whole answers of OpenAI's responses as answers of the hub. */
import type { Answer } from '../../core/conversation.ts';
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure } from '../../core/protocol.ts';
import { createDistinctIds } from '../../core/tool-ids.ts';
import { brokenProtocol } from '../failures.ts';
import { readEnd } from './end-reasons.ts';
import { failureInside } from './errors.ts';
import { type Fields, nonEmpty } from './members.ts';
import { partsOfItem } from './output-parts.ts';
import { readUsage } from './usage.ts';

/** @param what the name of the answer in words */
export function readObject(text: string, what: string): { readonly fields: Fields } | UpstreamFailure {
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  const value = parsed(text);
  if (value === undefined) return brokenProtocol('answered something that is not JSON');
  if (!isObject(value)) return brokenProtocol(`answered JSON that is not ${what}`);
  return failureInside(value, text) ?? { fields: value };
}

/** @returns a response whose output is a list, or why the text is none */
export function readResponse(text: string, state: 'is over' | 'may run'): { readonly response: Fields } | UpstreamFailure {
  const read = readObject(text, 'a response');
  if ('kind' in read) return read;
  const { output, status } = read.fields;
  if (!Array.isArray(output) || !output.every(isObject)) return brokenProtocol('answered JSON that is not a response');
  const runs = status === 'in_progress' || status === 'queued';
  return runs && state === 'is over' ? brokenProtocol('answered before its response was complete') : { response: read.fields };
}

export function decodeAnswer(text: string): Answer | UpstreamFailure {
  const read = readResponse(text, 'is over');
  return 'kind' in read ? read : answerOf(read.response);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answerOf(response: Fields): Answer {
  const id = nonEmpty(response['id']);
  const distinct = createDistinctIds();
  const output = response['output'] as readonly Fields[];
  const parts = output.flatMap((item) => partsOfItem(item, (callId) => distinct(callId, id)));
  return {
    id,
    model: nonEmpty(response['model']),
    parts,
    tokens: readUsage(response['usage']),
    end: readEnd(
      response,
      parts.map(({ type }) => type),
    ),
  };
}
