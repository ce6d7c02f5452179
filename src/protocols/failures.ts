/** The failure that an upstream tells, by a status or inside of an answer: one classifier for all protocols. Pure. */
import { isObject } from '../core/json.ts';
import type { FailureKind, UpstreamFailure } from '../core/protocol.ts';
import { parsed, statusIn, told, type Words, withoutFrame, wordsOf } from './failure-words.ts';

/** @param body of an answer that is no success */
export function failureOfBody(status: number, body: string): UpstreamFailure {
  const unframed = withoutFrame(body);
  const value = parsed(unframed);
  return failureOf(status, wordsOf(value), isObject(value) ? unframed : null);
}

/** The failure that an event named `error` tells. */
export function namedFailure(data: string, statuses: StatusesOfCodes = usualStatuses): UpstreamFailure {
  const value = parsed(data);
  const words = wordsOf(value ?? data);
  return failureOf(statusIn(value) ?? statusOfWords(words, statuses), words, isObject(value) ? data : null);
}

/**
 * The failure that an answer of status 200 tells, or null: a true-ish `error` at the top, or an object or type that is `error`.
 * OpenAI's SDKs take a falsy `error` for none too.
 * @param inner an error that stands elsewhere in the answer
 */
export function failureIn(
  answer: Readonly<Record<string, unknown>>,
  text: string,
  inner: unknown = null,
  statuses: StatusesOfCodes = usualStatuses,
): UpstreamFailure | null {
  const isError = answer['object'] === 'error' || answer['type'] === 'error';
  const error = told(answer['error']) ?? (isError ? answer : inner);
  if (error === null) return null;
  const words = wordsOf(error === answer ? answer : { error });
  return failureOf(statusIn(error) ?? statusIn(answer) ?? statusOfWords(words, statuses), words, text);
}

/** The first row that fits a code or a type counts. */
export type StatusesOfCodes = readonly { readonly code: RegExp; readonly status: number }[];

/** Statuses of the codes and types that vendors use, for an error that names no status. */
export const usualStatuses: StatusesOfCodes = [
  { code: /context_length|content_filter|content_policy|invalid_request|invalid_argument|bad_request/i, status: 400 },
  { code: /invalid_api_key|authentication|unauthenticated/i, status: 401 },
  { code: /permission/i, status: 403 },
  { code: /not_found/i, status: 404 },
  { code: /rate_limit|quota|resource_exhausted|too_many_requests/i, status: 429 },
  { code: /overloaded|unavailable/i, status: 503 },
];

function statusOfWords({ message, code, type }: Words, statuses: StatusesOfCodes): number {
  if (overflowPhrases.test(message ?? '')) return 400;
  const name = `${code ?? ''} ${type ?? ''}`;
  return statuses.find((row) => row.code.test(name))?.status ?? 502;
}

function failureOf(status: number, { message, param, code, type, retryAfterMs }: Words, body: string | null): UpstreamFailure {
  const kind = classify(status, message ?? '', code ?? type ?? '');
  return { kind, status, message, param, code, retryAfterMs, body };
}

/** Phrases by which vendors say that a prompt is too long (reference: provider catalog 3.5). */
const overflowPhrases =
  /prompt is too long|exceeds? (?:the |max )?(?:context window|context length|max(?:imum)? (?:context |allowed input )?length)|prompt exceeds max length|context window (?:exceeded|exceeds limit)|maximum (?:prompt|context) length is|reduce the length of the messages|longer than the model's context length|exceeds the available context size|greater than the context length|exceeded model token limit|too large for model with|range of input length should be|context_length_exceeded|too many tokens|token limit exceeded/i;

/** Words by which vendors say, under several statuses, that an account has no credit left. */
const noCredit =
  /insufficient[ _](?:quota|balance|credits?|funds)|credit balance is too low|(?:no|out of|not enough) credits?\b|exceeded your current quota|billing_|payment[ _]required|spend_limit|usage_not_included/i;
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
