/** The words of an upstream's error, in every shape that vendors and compatible servers give them. Pure. */
import { isObject } from '../core/json.ts';

/** What the body of an error says, wherever it says it. */
export interface Words {
  readonly message: string | null;
  readonly param: string | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly retryAfterMs: number | null;
}

const noWords: Words = { message: null, param: null, code: null, type: null, retryAfterMs: null };

/** Deeper than any vendor nests an error. */
const deepest = 6;
/** Members that hold the error, in the order in which they are looked into. */
const holders = ['error', 'errors', 'detail', 'message'] as const;
const messageNames = ['message', 'msg', 'error_msg', 'error_message', 'detail'] as const;

/** Looks for the words in every shape that compatible servers use: lists, `error`, `errors`, `detail`, JSON inside text. */
export function wordsOf(value: unknown, depth = 0): Words {
  if (depth > deepest) return noWords;
  if (typeof value === 'string') return wordsOfText(value, depth);
  if (Array.isArray(value)) return wordsOf(value[0], depth + 1);
  if (!isObject(value)) return noWords;
  let own = ownWords(value);
  for (const name of holders) {
    const inner = value[name];
    if (!(isObject(inner) || Array.isArray(inner) || (typeof inner === 'string' && (name === 'error' || looksLikeJson(inner)))))
      continue;
    const words = wordsOf(inner, depth + 1);
    if (words.message !== null) return over(words, own);
    own = over(own, words);
  }
  return own;
}

function wordsOfText(text: string, depth: number): Words {
  const value = looksLikeJson(text) ? parsed(text) : undefined;
  if (value !== undefined && value !== null) return wordsOf(value, depth + 1);
  return { ...noWords, message: nonEmpty(text) };
}

const looksLikeJson = (value: string): boolean => /^\s*[{[]/.test(value);

function ownWords(fields: Readonly<Record<string, unknown>>): Words {
  const message = messageNames.map((name) => nonEmpty(fields[name])).find((each) => each !== null) ?? null;
  return {
    message,
    param: nonEmpty(fields['param']) ?? placeOf(fields['loc']),
    code: nonEmpty(fields['code']) ?? codeInDetails(fields['details']),
    type: typeIn(fields['type']) ?? nonEmpty(fields['status']),
    retryAfterMs: retryDelay(fields),
  };
}

/** Anthropic's envelope has the type `error` around the one that tells. */
const typeIn = (type: unknown): string | null => (type === 'error' ? null : nonEmpty(type));

/** Anthropic's closer reason: `details: {"error_code": "enforced_spend_limit_reached"}`. */
function codeInDetails(details: unknown): string | null {
  return isObject(details) ? nonEmpty(details['error_code']) : null;
}

/** The place of a misfit as FastAPI's servers write it: `["body", "messages", 0]`. */
function placeOf(loc: unknown): string | null {
  return Array.isArray(loc) ? nonEmpty(loc.filter((part, at) => at > 0 || part !== 'body').join('.')) : null;
}

/** The inner words, with the outer ones where the inner say nothing. */
function over(inner: Words, outer: Words): Words {
  return {
    message: inner.message,
    param: inner.param ?? outer.param,
    code: inner.code ?? outer.code,
    type: inner.type ?? outer.type,
    retryAfterMs: inner.retryAfterMs ?? outer.retryAfterMs,
  };
}

/** Google's RetryInfo (`retryDelay: "7s"` in `details[]`), a plain `retry_after` in seconds, ChatGPT's `resets_in_seconds`. */
function retryDelay(fields: Readonly<Record<string, unknown>>): number | null {
  const details: readonly unknown[] = Array.isArray(fields['details']) ? fields['details'] : [];
  for (const detail of [...details, fields]) {
    if (!isObject(detail)) continue;
    const seconds =
      /^(\d+(?:\.\d+)?)s$/.exec(String(detail['retryDelay'] ?? ''))?.[1] ?? detail['retry_after'] ?? detail['resets_in_seconds'];
    const value = typeof seconds === 'string' || typeof seconds === 'number' ? Number(seconds) : Number.NaN;
    if (Number.isFinite(value) && value > 0) return Math.ceil(value * 1000);
  }
  return null;
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Some servers frame the body of an error like an event: `data: {...}`. */
export function withoutFrame(body: string): string {
  const text = body.trim();
  if (!text.startsWith('data:') && !text.startsWith('event:')) return text;
  const line = text.split('\n').find((each) => each.startsWith('data:'));
  return line === undefined ? text : line.slice('data:'.length).trim();
}

function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** @returns null for what says nothing: absent, null, false, 0, an empty text */
export function told(error: unknown): unknown {
  return error === undefined || error === null || error === false || error === 0 || error === '' ? null : error;
}

/** A numeric `code` or `status` of 400 to 599, also as text. */
export function statusIn(error: unknown): number | null {
  if (!isObject(error)) return null;
  for (const name of ['status', 'code', 'status_code']) {
    const value = Number(error[name]);
    if (Number.isInteger(value) && value >= 400 && value <= 599) return value;
  }
  return null;
}
