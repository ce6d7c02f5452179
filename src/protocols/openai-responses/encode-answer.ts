/** Answers of the hub as whole responses, for a client. */
import type { Answer, Part } from '../../core/conversation.ts';
import type { Making } from '../../core/protocol.ts';
import { writeEnd } from './end-reasons.ts';
import type { Fields } from './members.ts';
import { itemOf, itemType, responseId } from './output-items.ts';
import { responseObject } from './response-object.ts';
import { writeUsage } from './usage.ts';

/** @returns JSON */
export function encodeAnswer({ id, model, parts, tokens, end }: Answer, making: Making): string {
  const told = parts.filter((part) => itemType(part) !== null);
  const isCut = (at: number) => end.reason === 'length' && at === told.length - 1;
  const output = told
    .map((part, at) => itemOf(part, at, making, isCut(at) ? 'incomplete' : 'completed'))
    .filter((item): item is Fields => item !== null);
  const response = {
    id: responseId(id, making),
    model: model ?? making.model,
    ...writeEnd(end, parts.some(isRefusal)),
    output,
    usage: writeUsage(tokens),
  };
  return wellFormed(responseObject(response, making));
}

const isRefusal = ({ type }: Part): boolean => type === 'refusal';

/** Parsers differ in what they make of half a surrogate pair. `JSON.stringify` escapes exactly these. */
export function wellFormed(value: Fields): string {
  const text = JSON.stringify(value);
  if (!/\\ud[89a-f]/.test(text)) return text;
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? each.toWellFormed() : each));
}
