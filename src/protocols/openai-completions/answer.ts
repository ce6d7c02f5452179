/** Answers of OpenAI's API, from an upstream: the shape of a whole one, the failure that it may be, and the tokens it used. */
import { isObject, isTooDeep } from '../../core/json.ts';
import type { UpstreamFailure, WholeAnswer } from '../../core/protocol.ts';
import { looksLikeEvents } from '../answer-forms.ts';
import { brokenProtocol } from '../failures.ts';
import { answerOfEvents } from './convert.ts';
import { failureInside } from './errors.ts';
import { readUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The mark by which an answer is recognised. */
export interface AnswerShape {
  /** The member that must be a list; null when the answer has none. */
  readonly list: string | null;
  /** Each item of the list must have at least one of these members. Empty: items are not checked, and the list may be empty. */
  readonly item: readonly string[];
  /** The name of the answer in words: `a chat completion`. */
  readonly what: string;
}

/** Checks an answer that is passed on as it is. A stream that was not asked for is folded into one answer. */
export function readAnswer(text: string, shape: AnswerShape | null): WholeAnswer | UpstreamFailure {
  if (shape?.list !== 'choices' || !looksLikeEvents(text)) return readJson(text, shape);
  const folded = answerOfEvents(text);
  return typeof folded === 'string' ? readJson(folded, shape) : folded;
}

function readJson(text: string, shape: AnswerShape | null): WholeAnswer | UpstreamFailure {
  let answer: unknown;
  if (isTooDeep(text)) return brokenProtocol('answered JSON that is nested too deeply');
  try {
    answer = JSON.parse(text);
  } catch {
    return brokenProtocol('answered something that is not JSON');
  }
  const what = shape?.what ?? 'an answer';
  if (!isObject(answer)) return brokenProtocol(`answered JSON that is not ${what}`);
  const failure = failureInside(answer, text);
  if (failure !== null) return failure;
  if (shape !== null && shape.list !== null) {
    const items = answer[shape.list];
    if (!Array.isArray(items)) return brokenProtocol(`answered JSON that is not ${what}`);
    if (shape.item.length > 0 && !holdsItems(items, shape.item)) return nothingMade(what);
  }
  return { body: text, tokens: readUsage(answer['usage']) };
}

function holdsItems(items: readonly unknown[], names: readonly string[]): boolean {
  return items.length > 0 && items.every((item) => isObject(item) && names.some((name) => isThere(item[name])));
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** An answer without what was asked for: another upstream may do better. */
function nothingMade(what: string): UpstreamFailure {
  const message = `The answer is ${what} with nothing in it`;
  return { kind: 'server_error', status: 502, message, param: null, code: null, retryAfterMs: null, body: null };
}

/**
 * Embeddings that were asked for in base64 and came as numbers: little-endian 32-bit floats, as OpenAI sends them. The SDKs
 * decode what they asked for without looking.
 */
export function withBase64({ body, tokens }: WholeAnswer): WholeAnswer {
  if (!/"embedding"\s*:\s*\[/.test(body)) return { body, tokens };
  const answer = JSON.parse(body) as Fields;
  const data = Array.isArray(answer['data']) ? answer['data'] : [];
  return { body: JSON.stringify({ ...answer, data: data.map(inBase64) }), tokens };
}

function inBase64(item: unknown): unknown {
  if (!isObject(item) || !Array.isArray(item['embedding'])) return item;
  const floats = new DataView(new ArrayBuffer(4 * item['embedding'].length));
  for (const [index, value] of item['embedding'].entries()) floats.setFloat32(4 * index, Number(value), true);
  return { ...item, embedding: base64(new Uint8Array(floats.buffer)) };
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
