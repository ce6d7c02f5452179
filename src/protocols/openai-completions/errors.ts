/** Errors of OpenAI's API, both ways: an upstream's refusal read, and ola's own written. Pure: the gateway decides what follows. */
import { errorEnvelope, type OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { FailureKind, ReadHeader, UpstreamFailure } from '../../core/protocol.ts';

/** Phrases by which vendors say that a prompt is too long (reference: provider catalog 3.5). */
const overflowPhrases =
  /prompt is too long|exceeds? (?:the |max )?(?:context window|max(?:imum)? (?:context |allowed input )?length)|prompt exceeds max length|context window (?:exceeded|exceeds limit)|maximum (?:prompt|context) length is|reduce the length of the messages|longer than the model's context length|exceeds the available context size|greater than the context length|exceeded model token limit|too large for model with|range of input length should be|context_length_exceeded|too many tokens|token limit exceeded/i;

export function readFailure(status: number, _header: ReadHeader, body: string): UpstreamFailure {
  const unframed = withoutFrame(body);
  const value = parsed(unframed);
  return failureOf(status, wordsOf(value), isObject(value) ? unframed : null);
}

/** The failure that an event named `error` tells. */
export function namedFailure(data: string): UpstreamFailure {
  const value = parsed(data);
  const words = wordsOf(value ?? data);
  return failureOf(statusIn(value) ?? statusOfWords(words), words, isObject(value) ? data : null);
}

/**
 * The failure that an answer of status 200 tells, or null: a true-ish `error` at the top or in a choice, or `object: "error"`.
 * OpenAI's SDKs take a falsy `error` for none too.
 */
export function failureInside(answer: Readonly<Record<string, unknown>>, text: string): UpstreamFailure | null {
  const isError = answer['object'] === 'error' || answer['type'] === 'error';
  const error = told(answer['error']) ?? (isError ? answer : errorOfChoice(answer['choices']));
  if (error === null) return null;
  const words = wordsOf(error === answer ? answer : { error });
  return failureOf(statusIn(error) ?? statusIn(answer) ?? statusOfWords(words), words, text);
}

/** Statuses of the codes and types that vendors use, for an error that names no status. */
const statusOfCode: readonly { readonly code: RegExp; readonly status: number }[] = [
  { code: /context_length|content_filter|content_policy|invalid_request|invalid_argument|bad_request/i, status: 400 },
  { code: /invalid_api_key|authentication|unauthenticated/i, status: 401 },
  { code: /permission/i, status: 403 },
  { code: /not_found/i, status: 404 },
  { code: /rate_limit|quota|resource_exhausted|too_many_requests/i, status: 429 },
  { code: /overloaded|unavailable/i, status: 503 },
];

function statusOfWords({ message, code, type }: Words): number {
  if (overflowPhrases.test(message ?? '')) return 400;
  const name = `${code ?? ''} ${type ?? ''}`;
  return statusOfCode.find((row) => row.code.test(name))?.status ?? 502;
}

function errorOfChoice(choices: unknown): unknown {
  if (!Array.isArray(choices)) return null;
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    const error = told(choice['error']) ?? (choice['finish_reason'] === 'error' ? { message: null } : null);
    if (error !== null) return error;
  }
  return null;
}

/** @returns null for what says nothing: absent, null, false, 0, an empty text */
function told(error: unknown): unknown {
  return error === undefined || error === null || error === false || error === 0 || error === '' ? null : error;
}

/** A numeric `code` or `status` of 400 to 599, also as text. */
function statusIn(error: unknown): number | null {
  if (!isObject(error)) return null;
  for (const name of ['status', 'code', 'status_code']) {
    const value = Number(error[name]);
    if (Number.isInteger(value) && value >= 400 && value <= 599) return value;
  }
  return null;
}

/** What the body of an error says, wherever it says it. */
interface Words {
  readonly message: string | null;
  readonly param: string | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly retryAfterMs: number | null;
}

const noWords: Words = { message: null, param: null, code: null, type: null, retryAfterMs: null };

function failureOf(status: number, { message, param, code, type, retryAfterMs }: Words, body: string | null): UpstreamFailure {
  const kind = classify(status, message ?? '', code ?? type ?? '');
  return { kind, status, message, param, code, retryAfterMs, body };
}

/** Deeper than any vendor nests an error. */
const deepest = 6;
/** Members that hold the error, in the order in which they are looked into. */
const holders = ['error', 'errors', 'detail', 'message'] as const;
const messageNames = ['message', 'msg', 'error_msg', 'error_message', 'detail'] as const;

/** Looks for the words in every shape that compatible servers use: lists, `error`, `errors`, `detail`, JSON inside text. */
function wordsOf(value: unknown, depth = 0): Words {
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
    code: nonEmpty(fields['code']),
    type: nonEmpty(fields['type']) ?? nonEmpty(fields['status']),
    retryAfterMs: retryDelay(fields),
  };
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

/** Google's RetryInfo (`retryDelay: "7s"` in `details[]`), OpenRouter's `metadata.headers`, a plain `retry_after` in seconds. */
function retryDelay(fields: Readonly<Record<string, unknown>>): number | null {
  const details: readonly unknown[] = Array.isArray(fields['details']) ? fields['details'] : [];
  for (const detail of [...details, fields]) {
    if (!isObject(detail)) continue;
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(detail['retryDelay'] ?? ''))?.[1] ?? detail['retry_after'];
    const value = typeof seconds === 'string' || typeof seconds === 'number' ? Number(seconds) : Number.NaN;
    if (Number.isFinite(value) && value > 0) return Math.ceil(value * 1000);
  }
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Some servers frame the body of an error like an event: `data: {...}`. */
function withoutFrame(body: string): string {
  const text = body.trim();
  if (!text.startsWith('data:') && !text.startsWith('event:')) return text;
  const line = text.split('\n').find((each) => each.startsWith('data:'));
  return line === undefined ? text : line.slice('data:'.length).trim();
}

function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** Words by which vendors say, under several statuses, that an account has no credit left. */
const noCredit =
  /insufficient[ _](?:quota|balance|credits?|funds)|credit balance is too low|(?:no|out of|not enough) credits?\b|exceeded your current quota|billing_|payment[ _]required|spend_limit/i;
/** Words by which vendors say that this account may not use this model. "It does not exist or you have no access" says neither. */
const notEntitled =
  /(?:(?:do|does) not|don't|doesn't) have access to (?:the |this )?model|not (?:entitled|authorized|permitted) to (?:use|access) (?:the |this )?model|not (?:supported|available) (?:when using|with|for|on) (?:[a-z]+ with )?(?:a|your) (?:[a-z]+ )?(?:account|plan|subscription|organi[sz]ation)|access_terminated_error/i;

function classify(status: number, message: string, code: string): FailureKind {
  const words = `${code} ${message}`;
  if ([400, 403, 429].includes(status) && noCredit.test(words)) return 'billing';
  if ([400, 403, 404].includes(status) && notEntitled.test(words) && !/does not exist or/i.test(message)) return 'entitlement';
  if (status === 429) return 'rate_limit';
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'billing';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 409 || status === 503 || status === 529) return 'overloaded';
  if (status >= 500) return 'server_error';
  if (/content_filter|content_policy/i.test(code)) return 'content_filter';
  if (status === 413 || overflowPhrases.test(message) || /context_length_exceeded/.test(code)) return 'context_overflow';
  return 'invalid_request';
}

/** An answer or a stream that breaks the protocol. @param message ola's clause behind the provider's name */
export function brokenProtocol(message: string): UpstreamFailure {
  return { kind: 'malformed', status: 502, message, param: null, code: null, retryAfterMs: null, body: null };
}

/** OpenAI's error object is ola's own envelope too. */
export function errorBody(error: OlaError): string {
  return JSON.stringify(errorEnvelope(error));
}

const encoder = new TextEncoder();

/** An error is one event, and `[DONE]` does not follow it. */
export function errorEvent(error: OlaError): Uint8Array {
  return encoder.encode(`data: ${errorBody(error)}\n\n`);
}
